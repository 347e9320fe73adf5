import type { TargetStep } from './model.ts';
import type { EngineEvent } from './types.ts';

/** A target step that a generation waits for; it is resumed with the logits. */
export interface RoundStep extends TargetStep {
  readonly type: 'step';
  /** Whether its time tells what steps of this width cost. */
  readonly isTypical: boolean;
}

/** A generation, advanced turn by turn: an event, a step that it needs, or nothing to tell (a part of the prompt is done). */
export type Turns = Generator<EngineEvent | RoundStep | undefined, void, Float32Array | undefined>;
