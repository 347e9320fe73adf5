import type { ModelConfig, RopeConfig } from '../hf/types.ts';
import type { GraphBuilder, Value } from '../onnx/index.ts';

/** Cosines and sines, [B, S, D/2] each. */
export interface Angles {
  readonly cos: Value;
  readonly sin: Value;
}

/** Rotation of keys, and of queries: the latter also scales by 1 / sqrt(D), so that the softmax needs no scale. */
export interface RotaryAngles {
  readonly keys: Angles;
  readonly queries: Angles;
}

/**
 * Angles of positionIds [B, S]. Computed once per run: a table would be as long as the context. float32 throughout,
 * like the reference: at position 131,072 an angle is off by up to 0.01.
 */
export function rotaryAngles(g: GraphBuilder, config: ModelConfig, positionIds: Value): RotaryAngles {
  const frequencies = inverseFrequencies(config.rope, config.headDim);
  const inverse = g.constant(frequencies, 'float32', [frequencies.length]);
  const positions = g.op.Unsqueeze(g.op.Cast(positionIds, { to: 'float32' }), [2]);
  const angles = g.op.Mul(positions, inverse);
  const keys = { cos: g.op.Cos(angles), sin: g.op.Sin(angles) };
  const scale = 1 / Math.sqrt(config.headDim);
  return { keys, queries: { cos: g.op.Mul(keys.cos, scale), sin: g.op.Mul(keys.sin, scale) } };
}

/** Radians per position of each pair of dimensions, [D/2]. */
export function inverseFrequencies(rope: RopeConfig, headDim: number): Float32Array {
  return Float32Array.from({ length: headDim / 2 }, (_, i) => {
    // Rounded to float32 where the reference rounds: the exponent and the quotient.
    const frequency = Math.fround(1 / Math.fround(rope.theta ** Math.fround((2 * i) / headDim)));
    return scaleFrequency(frequency, rope.scaling);
  });
}

function scaleFrequency(frequency: number, scaling: RopeConfig['scaling']): number {
  switch (scaling.type) {
    case 'default':
      return frequency;
    case 'linear':
      return frequency / scaling.factor;
    case 'llama3':
      return scaleLlama3(frequency, scaling);
  }
}

/** Llama 3.1: long waves are stretched by `factor`, short ones kept, those between blended. */
function scaleLlama3(frequency: number, scaling: Extract<RopeConfig['scaling'], { type: 'llama3' }>): number {
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = scaling;
  const wavelength = (2 * Math.PI) / frequency;
  if (wavelength < originalMaxPositions / highFreqFactor) return frequency;
  if (wavelength > originalMaxPositions / lowFreqFactor) return frequency / factor;
  const smooth = (originalMaxPositions / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return ((1 - smooth) * frequency) / factor + smooth * frequency;
}
