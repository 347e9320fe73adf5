import { describe, expect, test } from 'bun:test';
import type { ModelEngine } from '../../src/engine/engine.ts';
import type { StepMode } from '../../src/engine/model.ts';
import { type GrammarSpec, GrammarStore, type JsonSchema } from '../../src/grammar/index.ts';
import { buildTokenTrie, suffixTokens } from '../../src/grammar/token-trie.ts';
import { RandomStream } from '../../src/lib/random.ts';
import { collect, errorOf, requestOf, scriptedEngine } from '../engine/helpers.ts';
import { ScriptedModel, type ScriptedModelOptions } from '../fakes/scripted-model.ts';

const END = 0;
/** All bytes, and pieces of several that cross the borders of JSON's parts. */
const PIECES = [
  '{"',
  '":',
  '", "',
  '"}',
  ': "',
  'ab',
  'abc',
  'name',
  '"name"',
  'true',
  '12',
  '],',
  '[[',
  '}}',
  ' \n',
  'é',
  '\\"',
  '",',
];
const WORDS = [
  new Uint8Array(),
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...PIECES.map((piece) => new TextEncoder().encode(piece)),
];
const vocabulary = {
  bytes: Uint8Array.from(WORDS.flatMap((word) => [...word])),
  offsets: Uint32Array.from([
    0,
    ...WORDS.map((_, i) => WORDS.slice(0, i + 1).reduce((sum, w) => sum + w.length, 0)),
  ]),
};
const textOf = (ids: readonly number[]): string =>
  new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(ids.flatMap((id) => [...WORDS[id]!])));

/** Letters only: no JSON begins or ends with one of them. */
const LETTERS = Array.from({ length: 26 }, (_, i) => 1 + 'a'.charCodeAt(0) + i);

function openEngine(
  options: Pick<ScriptedModelOptions, 'agrees' | 'draftVocabulary' | 'onStep'> = {},
): ModelEngine {
  const model = new ScriptedModel({ vocabSize: WORDS.length, spread: 3, ...options });
  const engine = scriptedEngine(model);
  engine.setVocabulary(vocabulary);
  return engine;
}

const json = (schema: JsonSchema): GrammarSpec => ({ kind: 'json', schema });
const person = json({
  type: 'object',
  properties: { name: { type: 'string', minLength: 2 }, tags: { type: 'array', items: { type: 'integer' } } },
  required: ['name', 'tags'],
});
const SPECS: readonly GrammarSpec[] = [
  person,
  json({ type: 'object' }),
  json({}),
  { kind: 'sequence', parts: [{ kind: 'literal', text: '<' }, person, { kind: 'literal', text: '>' }] },
];

describe('a grammar', () => {
  test('makes complete JSON of a model that knows nothing, whatever the room', async () => {
    const engine = openEngine();
    for (let seed = 0; seed < 60; seed++) {
      const spec = SPECS[seed % SPECS.length]!;
      const maxTokens = 30 + seed * 2;
      const request = {
        ...requestOf({ maxTokens, sampling: { temperature: 1, seed }, stopTokenIds: [END] }),
        grammar: spec,
      };
      const { ids, done } = await collect(engine, request);
      expect(done.finishReason).toBe('stop');
      expect(ids.at(-1)).toBe(END);
      const text = textOf(ids);
      const value = JSON.parse(spec.kind === 'sequence' ? text.slice(1, -1) : text);
      if (spec !== SPECS[2]) expect(value).toBeObject();
      if (spec === person) expect([...value.name].length).toBeGreaterThanOrEqual(2);
    }
  }, 20_000);

  test.each([
    ['any token', {}, 50],
    ['letters', { draftVocabulary: LETTERS }, 10],
    ['no token that ever fits', { draftVocabulary: [1] }, 0],
  ])(
    'gives the same text with every draft length and at any temperature, where drafts have %s',
    async (_, draft, fewest) => {
      let [draftSteps, drafted, accepted] = [0, 0, 0];
      const onStep = (mode: StepMode): void => {
        if (mode === 'draft') draftSteps++;
      };
      const engine = openEngine({ agrees: (position) => position % 3 !== 2, onStep, ...draft });
      const random = new RandomStream(1);
      for (let i = 0; i < 12; i++) {
        const sampling = {
          temperature: i % 3,
          seed: random.nextBits(),
          repetitionPenalty: i % 2 === 0 ? 1 : 1.3,
          topK: i % 4 === 0 ? 5 : 0,
        };
        const texts = [];
        for (const draftLength of [0, 1, 4, 7]) {
          const speculation = { draftLength, enabled: draftLength > 0 };
          const request = {
            ...requestOf({ maxTokens: 60, sampling, speculation, stopTokenIds: [END] }),
            grammar: SPECS[i % 3]!,
          };
          const { ids, done } = await collect(engine, request);
          drafted += done.stats.numDraftTokens;
          accepted += done.stats.numAcceptedTokens;
          texts.push(textOf(ids));
        }
        expect(new Set(texts).size).toBe(1);
        JSON.parse(texts[0]!);
      }
      expect(draftSteps).toBeGreaterThan(100);
      if (fewest === 0) expect(drafted).toBe(0);
      else expect(accepted).toBeGreaterThanOrEqual(fewest);
    },
    20_000,
  );

  test.each([
    ['any token', {}],
    ['letters', { draftVocabulary: LETTERS }],
  ])('holds with rejection verification too, where drafts have %s', async (_, draft) => {
    const engine = openEngine({ agrees: (position) => position % 3 !== 2, ...draft });
    for (let seed = 0; seed < 8; seed++) {
      const speculation = { draftLength: 4, verification: 'rejection' as const };
      const request = {
        ...requestOf({ maxTokens: 60, sampling: { temperature: 1, seed }, speculation, stopTokenIds: [END] }),
        grammar: person,
      };
      expect(JSON.parse(textOf((await collect(engine, request)).ids))).toHaveProperty('tags');
    }
  });

  test('is not forced where there is no room for it', async () => {
    const engine = openEngine();
    const request = { ...requestOf({ maxTokens: 4, stopTokenIds: [END] }), grammar: person };
    const { ids, done } = await collect(engine, request);
    expect(done.finishReason).toBe('length');
    expect(textOf(ids)).toStartWith('{"name":');
  });

  test('needs a vocabulary and a stop token', async () => {
    const bare = scriptedEngine(new ScriptedModel({ vocabSize: WORDS.length }));
    const request = { ...requestOf({ stopTokenIds: [END] }), grammar: person };
    expect(String(await errorOf(collect(bare, request)))).toContain('vocabulary');
    expect(String(await errorOf(collect(openEngine(), { ...request, stopTokenIds: [] })))).toContain(
      'stop token',
    );
  });
});

describe('TokenMasks', () => {
  test('allow exactly the tokens whose bytes fit', () => {
    const store = new GrammarStore();
    store.setVocabulary(vocabulary);
    const constraint = store.open({ kind: 'literal', text: '{"name"' }, [END], 100);
    const logits = new Float32Array(WORDS.length);
    constraint.apply(logits);
    const allowed = [...logits.keys()].filter((id) => logits[id] === 0).map((id) => textOf([id]));
    expect(allowed.sort()).toEqual(['{', '{"']);
  });

  test('suffixTokens() counts the fewest tokens', () => {
    const trie = buildTokenTrie(vocabulary);
    expect([...suffixTokens(trie, new TextEncoder().encode('"name"x'))]).toEqual([2, 3, 5, 4, 3, 2, 1, 0]);
  });
});
