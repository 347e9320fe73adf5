import { expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readModelFolder } from '../../src/hf/index.ts';
import { STORIES_DIR } from '../golden/models.ts';

/** Linux only: the high-water mark of resident memory comes from /proc. */
const isMeasurable = existsSync('/proc/self/status');

test.skipIf(!isMeasurable)('opening and running the stories model stays under the memory bound', async () => {
  const script = new URL('./memory-child.ts', import.meta.url).pathname;
  const peakBytes = Number(execFileSync(process.execPath, [script, STORIES_DIR], { encoding: 'utf8' }));
  const { config, tensors } = await readModelFolder(STORIES_DIR);
  const elements = [...tensors.values()].map(({ shape }) => shape.reduce((product, dim) => product * dim, 1));
  const weightBytes = 4 * elements.reduce((sum, count) => sum + count, 0);
  const embeddingBytes = 4 * config.vocabSize * config.hiddenSize;
  expect(peakBytes).toBeGreaterThan(weightBytes);
  expect(peakBytes).toBeLessThan(1.3 * (weightBytes + embeddingBytes) + 250e6);
});
