import type { EngineSpec } from './engine-spec.ts';
import type { Manifest, ManifestDraft } from './types.ts';

/** The draft that the artifact serves; undefined where it was built without measuring or no draft pays. */
export function servedDraft({ drafts, measured }: Manifest): ManifestDraft | undefined {
  return drafts.find(({ name }) => name === measured?.servedDraft);
}

/** What an engine needs to run the target with `draft`, by default the served one; without a draft, the target alone. */
export function engineSpecOf(
  manifest: Manifest,
  draft: ManifestDraft | undefined = servedDraft(manifest),
): EngineSpec {
  const { engine } = manifest;
  if (draft === undefined) return engine;
  const inputs = { ...engine.inputs, isDraft: draft.isDraft };
  const reduced = draft.vocabulary && { draftVocabulary: draft.vocabulary };
  return { ...engine, graph: draft.graph, inputs, draftSlots: draft.slots, ...reduced };
}

/**
 * Probability that a token of `draft` is accepted, as the build measured it; undefined where it did not. Of the served
 * draft it is that of the first position; of others only the share of all drafted tokens is kept, which is less.
 */
export function acceptancePriorOf(
  { measured }: Manifest,
  draft: ManifestDraft | undefined,
): number | undefined {
  if (draft === undefined || measured === null) return undefined;
  if (draft.name === measured.servedDraft) return measured.acceptanceByPosition[0];
  return measured.candidates.find(({ name }) => name === draft.name)?.acceptanceRate ?? undefined;
}
