import type { ExtraFile, Manifest } from '../artifact/index.ts';
import { type BuildSettings, listSettings } from './settings.ts';
import { type StudyOptions, studyBuild } from './study.ts';

/** Files of the report, made once the manifest is known. */
export type ReportWriter = (manifest: Manifest) => Promise<readonly ExtraFile[]>;

/** Measures what the report shows beyond the manifest. */
export async function prepareReport(settings: BuildSettings, options: StudyOptions): Promise<ReportWriter> {
  const study = await studyBuild(options);
  return async (manifest) => {
    // Loaded only now: who imports the package to serve needs no plotting library.
    const { renderReport } = await import('../report/index.ts');
    return renderReport({ manifest, settings: listSettings(settings), study });
  };
}
