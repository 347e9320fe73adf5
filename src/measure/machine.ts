import os from 'node:os';
import process from 'node:process';
import { describeProcessor } from '../lib/processor.ts';

/** Where a figure was measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly os: string;
  readonly runtime: string;
}

/** Facts of this machine and of the JavaScript runtime that asks. */
export function describeMachine(): Machine {
  const { cpu, cores } = describeProcessor();
  return {
    cpu,
    cores,
    memoryBytes: os.totalmem(),
    os: `${os.platform()} ${os.arch()}`,
    runtime: describeRuntime(),
  };
}

function describeRuntime(): string {
  const { bun, deno, node } = process.versions;
  if (bun !== undefined) return `bun ${bun}`;
  if (deno !== undefined) return `deno ${deno}`;
  return `node ${node}`;
}
