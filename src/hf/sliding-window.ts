import type { FamilyFacts } from './families.ts';
import type { RawConfig } from './raw-config.ts';
import { unsupported } from './refuse.ts';

/** `max_window_layers` where a Qwen config is silent. */
const DEFAULT_MAX_WINDOW_LAYERS = 28;

/** Throws `model_unsupported` if any layer would not attend to the whole past of a sequence of `maxPositions` tokens. */
export function refuseSlidingWindow(config: RawConfig, facts: FamilyFacts, maxPositions: number): void {
  const window = windowTokens(config, facts);
  const other = config.layer_types?.find((type) => type !== 'full_attention' && type !== 'sliding_attention');
  if (other !== undefined) {
    throw unsupported('layer_types', other, 'every layer must be full_attention');
  }
  // A window as long as the longest sequence hides nothing.
  if (window !== undefined && window >= maxPositions) return;
  if (config.layer_types?.includes('sliding_attention')) {
    throw unsupported('layer_types', 'sliding_attention', 'every layer must be full_attention');
  }
  if (window !== undefined && slidingLayers(config, facts) > 0) {
    throw unsupported(
      'sliding_window',
      window,
      `it must be null, or at least max_position_embeddings (${maxPositions}); with max_position_embeddings lowered to ${window} ` +
        'the model can be used up to that length',
    );
  }
}

/** The window in tokens if it is switched on. */
function windowTokens(config: RawConfig, facts: FamilyFacts): number | undefined {
  const isOn = facts.slidingWindowIsOptIn
    ? config.use_sliding_window === true
    : config.use_sliding_window !== false;
  if (!isOn || config.sliding_window === null) return undefined;
  return config.sliding_window ?? facts.slidingWindow;
}

function slidingLayers(config: RawConfig, facts: FamilyFacts): number {
  if (!facts.slidingWindowIsOptIn) return config.num_hidden_layers;
  if (config.layer_types != null)
    return config.layer_types.filter((type) => type === 'sliding_attention').length;
  const first = config.max_window_layers ?? DEFAULT_MAX_WINDOW_LAYERS;
  return Math.max(0, config.num_hidden_layers - first);
}
