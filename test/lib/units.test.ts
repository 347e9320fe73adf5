import { expect, test } from 'bun:test';
import { layerTensorShapes } from '../../src/hf/index.ts';
import { blockOfTensor, listUnitNames, listUnits, parseUnit, unitName } from '../../src/lib/units.ts';
import { openGolden } from '../graph/golden.ts';

test('listUnits(), listUnitNames(), unitName() and parseUnit() agree', () => {
  const names = ['0.attn', '0.mlp', '1.attn', '1.mlp', '2.attn', '2.mlp'];
  expect(listUnitNames(3)).toEqual(names);
  expect(listUnits(3).map(unitName)).toEqual(names);
  expect(names.map(parseUnit)).toEqual(listUnits(3));
});

test.each(['', '3', '3.', '03.attn', '-1.mlp', '3.attention', '3.attn ', '1234567.mlp'])(
  'parseUnit() knows no unit %p',
  (name) => {
    expect(parseUnit(name)).toBeUndefined();
  },
);

test('blockOfTensor() places every tensor of a layer', async () => {
  const { folder } = await openGolden('qwen3-v5config');
  const tensors = [...layerTensorShapes(folder.config).keys()];
  const ofMlp = tensors.filter((tensor) => blockOfTensor(tensor) === 'mlp');
  expect(ofMlp).toEqual([
    'post_attention_layernorm.weight',
    'mlp.gate_proj.weight',
    'mlp.up_proj.weight',
    'mlp.down_proj.weight',
  ]);
  expect(tensors).toContain('self_attn.q_norm.weight');
});
