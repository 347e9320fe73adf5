import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  acceptancePriorOf,
  chooseThreads,
  engineSpecOf,
  MANIFEST_FILE,
  type Manifest,
  type ManifestDraft,
  openArtifact,
  servedDraft,
  type ThreadChoice,
} from '../artifact/index.ts';
import { createEngine, type EngineOptions, type LocalEngine } from '../engine/index.ts';
import { buildServingGraph } from '../graph/serving.ts';
import { readModelFolder } from '../hf/index.ts';
import type { GenerationDefaults, ModelFolder } from '../hf/types.ts';
import { describeProcessor } from '../lib/processor.ts';
import { readRoundedFolder } from '../quant/index.ts';
import { loadTextCodec, type TextCodec } from '../text/index.ts';
import { usageError } from './errors.ts';

/** A model that commands run in their own thread. */
export interface OpenModel extends AsyncDisposable {
  readonly engine: LocalEngine;
  /** What the engine was made from, for another in a thread of its own. */
  readonly engineOptions: EngineOptions;
  readonly text: TextCodec;
  readonly defaults: GenerationDefaults;
  /** Name of the draft; null: plain decoding. */
  readonly draft: string | null;
  /** How many threads the session has, and why. */
  readonly threads: ThreadChoice;
}

/** How sessions run. */
export interface RuntimeOptions {
  /** Undefined: the CPU. */
  readonly provider: EngineOptions['provider'];
  /** Undefined: as many as the artifact's build found fastest, where that applies; else the default. */
  readonly threads: number | undefined;
}

/**
 * Opens an artifact with a draft of its manifest (the served one by default), or a bare model folder for plain decoding:
 * its graph is then built in memory. Throws SdfpError as {@linkcode openArtifact}, `readModelFolder` and `createEngine` do.
 */
export async function openModel(
  dir: string,
  runtime: RuntimeOptions,
  draftName?: string,
): Promise<OpenModel> {
  const { source, defaults, draft, measured } = existsSync(join(dir, MANIFEST_FILE))
    ? await fromArtifact(dir, draftName)
    : await fromModelFolder(dir, draftName);
  const text = await loadTextCodec(source.weightsDir);
  const threads = chooseThreads({ measured }, { ...runtime, draft }, describeProcessor());
  // A prompt that is run again takes as long as the first time.
  const { provider } = runtime;
  const engineOptions = { ...source, provider, threads: threads.threads, prefixCacheBytes: 0 };
  const engine = await createEngine(engineOptions);
  const facts = { engineOptions, text, defaults, draft, threads };
  return { engine, ...facts, [Symbol.asyncDispose]: () => engine.dispose() };
}

interface Source extends Pick<Manifest, 'measured'> {
  readonly source: Pick<EngineOptions, 'graph' | 'weightsDir' | 'weightFiles' | 'spec' | 'acceptancePrior'>;
  readonly defaults: GenerationDefaults;
  readonly draft: string | null;
}

async function fromArtifact(path: string, draftName: string | undefined): Promise<Source> {
  const { dir, manifest } = await openArtifact(path, { verify: 'fast' });
  const draft = draftName === undefined ? servedDraft(manifest) : findDraft(manifest, draftName);
  const spec = engineSpecOf(manifest, draft);
  const source = {
    graph: { path: join(dir, spec.graph) },
    weightsDir: dir,
    weightFiles: manifest.files.map(({ name }) => name),
    spec,
    acceptancePrior: acceptancePriorOf(manifest, draft),
  };
  const { generation: defaults, measured } = manifest;
  return { source, defaults, draft: draft?.name ?? null, measured };
}

function findDraft({ drafts }: Manifest, name: string): ManifestDraft {
  const draft = drafts.find((known) => known.name === name);
  if (draft !== undefined) return draft;
  throw usageError(
    `--draft is ${JSON.stringify(name)}, the artifact has ${drafts.map((known) => known.name).join(', ') || 'no draft'}`,
    'draft',
  );
}

async function fromModelFolder(path: string, draftName: string | undefined): Promise<Source> {
  if (draftName !== undefined) {
    throw usageError(
      `--draft needs an artifact, ${path} is a model folder; bake it with: sdfp build ${path}`,
      'draft',
    );
  }
  const folder = await readModelFolder(path);
  const { bytes, spec } = buildServingGraph(folder, { dropped: [] });
  const source = { graph: bytes, weightsDir: folder.dir, spec };
  return { source, defaults: folder.generation, draft: null, measured: null };
}

/**
 * The model that an artifact serves, or the one of a bare model folder. Throws SdfpError as {@linkcode openArtifact} and
 * `readModelFolder` do.
 */
export async function readTarget(path: string): Promise<ModelFolder> {
  if (!existsSync(join(path, MANIFEST_FILE))) return readModelFolder(path);
  const { dir, manifest } = await openArtifact(path, { verify: 'fast' });
  const { model, generation, files, target } = manifest;
  if (target.precision === 'stored') return readModelFolder(dir);
  return readRoundedFolder(dir, { config: model, generation, files: files.map(({ name }) => name) });
}
