export { type Admission, createAdmission, type Release } from './admission.ts';
export { type AppLimits, type AppOptions, createApp, createHealthApp } from './app.ts';
export {
  createModelHost,
  type HostState,
  type ModelHost,
  type ModelHostControl,
  type ServedModel,
} from './model-host.ts';
export type { PageFile } from './routes/pages.ts';
export { type LoadedModel, type SuperviseOptions, supervise } from './supervisor.ts';
