import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Answer, Job, Mode, Precision, Preparation } from './protocol.ts';

/** One way of generating that is measured. */
export interface Arm {
  readonly peer: Peer;
  readonly precision: Precision;
  readonly mode: Mode;
  /** Measured in every round with every number of threads; otherwise run once, for its texts. */
  readonly isTimed: boolean;
}

export interface Peer {
  readonly name: string;
  /** From the Python index, pinned. */
  readonly packages: readonly string[];
  /** A file beside this one. */
  readonly program: string;
  readonly arms: readonly Pick<Arm, 'precision' | 'mode' | 'isTimed'>[];
  /** Path below the prepared folder. */
  readonly model: (precision: Precision) => string;
}

const TEXTS_ONLY = { isTimed: false } as const;
const TIMED = { isTimed: true } as const;

/** What sdfp stands beside. The model builder of onnxruntime-genai needs torch, which is most of the 6 GB. */
export const PEERS: readonly Peer[] = [
  {
    name: 'llama.cpp',
    packages: ['xllamacpp==2026.10.11549', 'gguf==0.19.0'],
    program: 'llama_cpp.py',
    arms: [
      { precision: 'f32', mode: 'plain', ...TIMED },
      { precision: 'f32', mode: 'draft', ...TIMED },
      { precision: '8 bit', mode: 'plain', ...TIMED },
      { precision: '4 bit', mode: 'plain', ...TIMED },
      { precision: 'f32', mode: 'together', ...TEXTS_ONLY },
      { precision: '8 bit', mode: 'draft', ...TEXTS_ONLY },
      { precision: '8 bit', mode: 'together', ...TEXTS_ONLY },
    ],
    model: (precision) => `${precision}.gguf`,
  },
  {
    name: 'onnxruntime-genai',
    packages: [
      'onnxruntime-genai==0.18.0',
      'onnxruntime==1.32.0',
      'onnx==1.23.2',
      'onnx-ir==1.1.0',
      'torch==2.15.0',
      'transformers==5.24.0',
    ],
    program: 'genai.py',
    arms: [
      { precision: 'f32', mode: 'plain', ...TIMED },
      { precision: 'f32', mode: 'lookup', ...TIMED },
      { precision: '8 bit', mode: 'plain', ...TIMED },
      { precision: '4 bit', mode: 'plain', ...TIMED },
      { precision: 'f32', mode: 'together', ...TEXTS_ONLY },
      { precision: '8 bit', mode: 'lookup', ...TEXTS_ONLY },
      { precision: '8 bit', mode: 'together', ...TEXTS_ONLY },
    ],
    model: (precision) => precision,
  },
];

/** This package: nothing to install. */
export const OURS: Peer = {
  name: 'sdfp',
  packages: [],
  program: 'ours.ts',
  arms: [
    { precision: 'f32', mode: 'plain', ...TIMED },
    { precision: 'f32', mode: 'draft', ...TIMED },
    { precision: 'f32', mode: 'together', ...TEXTS_ONLY },
  ],
  model: () => '.',
};

/** Where a peer's packages and its files of the model are. */
export interface Installed {
  readonly python: string;
  readonly models: string;
}

/** Longest that one process may take: a machine whose cores are busy can be 20 times slower. */
const TIMEOUT_MS = 600_000;

/**
 * Installs a peer below `folder`, or finds it there, and has it make its files of the model. Throws an Error that says
 * what failed.
 */
export async function install(peer: Peer, modelDir: string, folder: string): Promise<Installed> {
  const home = join(folder, peer.name);
  const [venv, models, done] = [join(home, 'venv'), join(home, 'models'), join(home, 'packages.txt')];
  const python = join(venv, 'bin', 'python');
  const packages = peer.packages.join('\n');
  if (!existsSync(done) || readFileSync(done, 'utf8') !== packages) {
    rmSync(home, { recursive: true, force: true });
    mkdirSync(home, { recursive: true });
    runOrThrow('python3', ['-m', 'venv', venv]);
    runOrThrow(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...peer.packages]);
    writeFileSync(done, packages);
  }
  rmSync(models, { recursive: true, force: true });
  mkdirSync(models);
  const preparation: Preparation = { modelDir, out: models };
  await ask([python, programPath(peer.program), 'prepare'], preparation);
  return { python, models };
}

function runOrThrow(command: string, args: readonly string[]): void {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error === undefined && status === 0) return;
  throw new Error(`${command} ${args.join(' ')}: ended with ${error?.message ?? status}\n${stderr}`);
}

/** Generates in a fresh process. `installed` is undefined for sdfp itself, whose model is `modelDir`. */
export function generate(
  { peer, precision, mode }: Arm,
  installed: Installed | undefined,
  job: Omit<Job, 'model' | 'draftModel' | 'precision' | 'mode'> & { readonly modelDir: string },
): Promise<Answer> {
  const command =
    installed === undefined
      ? [process.execPath, programPath(peer.program)]
      : [installed.python, programPath(peer.program), 'run'];
  const pathOf = (wanted: Precision) => join(installed?.models ?? job.modelDir, peer.model(wanted));
  const { modelDir: _, ...rest } = job;
  const full: Job = { ...rest, precision, mode, model: pathOf(precision), draftModel: pathOf('4 bit') };
  return ask<Answer>(command, full);
}

/** Path of a program beside this file. */
export function programPath(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Writes `question` to a program's standard input; its answer is the last line of its output, as JSON. */
export function ask<T>([command = '', ...args]: readonly string[], question: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { timeout: TIMEOUT_MS });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (data) => {
      output.stdout += data;
    });
    child.stderr.on('data', (data) => {
      output.stderr += data;
    });
    child.on('error', reject);
    child.on('close', (status, signal) => {
      if (status === 0) return resolve(JSON.parse(output.stdout.trim().split('\n').at(-1)!));
      const end = (output.stderr + output.stdout).slice(-2000);
      reject(new Error(`${[command, ...args].join(' ')}: ended with ${signal ?? status}\n${end}`));
    });
    child.stdin.end(JSON.stringify(question));
  });
}
