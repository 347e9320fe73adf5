import { basename } from 'node:path';
import type { ReportSetting } from '../report/types.ts';

/** What the person who builds may choose; undefined: left to the default. */
export interface BuildSettings {
  readonly method?: string | undefined;
  readonly keep?: number | undefined;
  readonly draftMemoryBytes?: number | undefined;
  readonly targetPrecision?: string | undefined;
  readonly seed?: number | undefined;
  readonly calibrationFile?: string | undefined;
  readonly copy?: boolean | undefined;
}

/** The settings as used, by their name on the command line. Of a path only the file's name: where it lay is nobody's business. */
export function listSettings(settings: BuildSettings): ReportSetting[] {
  const { method, keep, draftMemoryBytes, targetPrecision, seed, calibrationFile, copy } = settings;
  const setting = (name: string, given: string | undefined, usual: string): ReportSetting => ({
    name,
    value: given ?? usual,
    isDefault: given === undefined,
  });
  return [
    setting('--method', method, 'fit'),
    setting('--keep', keep?.toString(), 'the fastest candidate'),
    setting('--draft-memory', draftMemoryBytes?.toString(), 'no limit'),
    setting('--target-precision', targetPrecision, 'stored'),
    setting('--seed', seed?.toString(), '0'),
    setting('--calibration', calibrationFile && basename(calibrationFile), 'text of the model itself'),
    setting('--copy', copy === undefined ? undefined : String(copy), 'false'),
  ];
}
