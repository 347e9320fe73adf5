import { describe, expect, test } from 'bun:test';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readModelFolder, readTensor } from '../../src/hf/index.ts';
import { readSafetensorsHeader } from '../../src/hf/safetensors.ts';
import {
  layoutReducedHead,
  layoutRoundedFile,
  writeReducedHead,
  writeRoundedFile,
} from '../../src/quant/index.ts';
import { roundMatrix } from '../../src/quant/round.ts';
import { temporaryFolder } from '../artifact/example.ts';
import { GOLDEN_MODELS, goldenDir } from '../golden/models.ts';

describe.each([...GOLDEN_MODELS])('writeRoundedFile() of %s', (name) => {
  test.each(['int4', 'int8'] as const)('%s: a sound safetensors file, as laid out', async (rounding) => {
    const folder = await readModelFolder(goldenDir(name));
    await using scratch = await temporaryFolder();
    const layout = await writeRoundedFile(folder, rounding, scratch.path);
    expect(layout).toEqual(layoutRoundedFile(folder.config, rounding));
    const bytes = await readFile(join(scratch.path, layout.file));
    expect(bytes.length).toBe(layout.bytes);
    const entries = await readSafetensorsHeader(scratch.path, layout.file);
    const places = new Map(entries.map((entry) => [entry.name, entry]));
    expect(places.size).toBe(2 * layout.matrices.length);
    for (const matrix of layout.matrices) {
      expect(places.get(`${matrix.name}.packed`)).toMatchObject(matrix.packed);
      expect(places.get(`${matrix.name}.scales`)).toMatchObject(matrix.scales);
    }
    expect(layout.header.length % 64).toBe(0);
  });
});

describe('writeRoundedFile()', () => {
  test('joins the rows of q, k and v', async () => {
    const folder = await readModelFolder(goldenDir('llama32-ropescaled'));
    await using scratch = await temporaryFolder();
    const { file, matrices } = await writeRoundedFile(folder, 'int4', scratch.path);
    const bytes = await readFile(join(scratch.path, file));
    const joined = matrices.find((matrix) => matrix.name === 'layers.1.attn.qkv')!;
    let at = joined.packed.offsetBytes;
    for (const source of joined.sources) {
      const { packed } = roundMatrix(await readTensor(folder, source), joined.columns, 'int4');
      expect(new Uint8Array(bytes.subarray(at, at + packed.length))).toEqual(packed);
      at += packed.length;
    }
    expect(at).toBe(joined.packed.offsetBytes + joined.packed.lengthBytes);
  });

  test.each(['int4', 'int8'] as const)(
    'a reduced %s head has the rows of the whole one',
    async (rounding) => {
      const folder = await readModelFolder(goldenDir('smollm2-tied'));
      await using scratch = await temporaryFolder();
      const tokens = [3, 4, 77, 383];
      const whole = await writeRoundedFile(folder, rounding, scratch.path);
      const reduced = await writeReducedHead(folder, rounding, tokens, scratch.path);
      expect(reduced).toEqual(layoutReducedHead(folder.config, rounding, tokens.length));
      expect((await readSafetensorsHeader(scratch.path, reduced.file)).map(({ shape }) => shape[0])).toEqual([
        4, 4,
      ]);
      const [from, to] = [whole.matrices.at(-1)!, reduced.matrices[0]!];
      const [all, some] = await Promise.all(
        [whole, reduced].map(({ file }) => readFile(join(scratch.path, file))),
      );
      expect(some!.length).toBe(reduced.bytes);
      for (const part of ['packed', 'scales'] as const) {
        const rowBytes = to[part].lengthBytes / tokens.length;
        for (const [i, token] of tokens.entries()) {
          const [at, source] = [
            to[part].offsetBytes + i * rowBytes,
            from[part].offsetBytes + token * rowBytes,
          ];
          expect(some!.subarray(at, at + rowBytes).equals(all!.subarray(source, source + rowBytes))).toBe(
            true,
          );
        }
      }
    },
  );

  test('ends with the reason of its signal', async () => {
    const folder = await readModelFolder(goldenDir('smollm2-tied'));
    await using scratch = await temporaryFolder();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(writeRoundedFile(folder, 'int4', scratch.path, { signal })).rejects.toThrow('enough');
  });
});
