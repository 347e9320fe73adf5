import { expect, test } from 'bun:test';
import { disposeInOrder } from '../../src/lib/dispose.ts';

test('disposeInOrder() ends the rest where one fails, and throws the first failure', async () => {
  const ended: number[] = [];
  const end = (id: number, problem?: string) => async () => {
    await Bun.sleep(3 - id);
    ended.push(id);
    if (problem !== undefined) throw new Error(problem);
  };
  await expect(disposeInOrder([end(1), end(2, 'two'), end(3, 'three')])).rejects.toThrow('two');
  await disposeInOrder([end(1), end(2)]);
  expect(ended).toEqual([1, 2, 3, 1, 2]);
});
