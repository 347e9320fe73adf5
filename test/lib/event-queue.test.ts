import { describe, expect, test } from 'bun:test';
import { createDeferred } from '../../src/lib/deferred.ts';
import { EventQueue } from '../../src/lib/event-queue.ts';

async function readAll(queue: EventQueue<number>): Promise<number[]> {
  const values: number[] = [];
  for await (const value of queue.drain()) values.push(value);
  return values;
}

describe('EventQueue', () => {
  test('gives what was pushed before and while reading, in order, then ends', async () => {
    const queue = new EventQueue<number>();
    queue.push(1);
    queue.push(2);
    const read = readAll(queue);
    await Promise.resolve();
    queue.push(3);
    queue.close();
    queue.push(4);
    expect(await read).toEqual([1, 2, 3]);
  });

  test('fail() drops what is queued and wins over a later close()', async () => {
    const queue = new EventQueue<number>();
    queue.push(1);
    queue.fail('gone');
    queue.close();
    expect(await readAll(queue).catch((error) => error)).toBe('gone');
  });

  test('fail() after close() changes nothing', async () => {
    const queue = new EventQueue<number>();
    queue.push(1);
    queue.close();
    queue.fail('gone');
    expect(await readAll(queue)).toEqual([1]);
  });
});

describe('createDeferred', () => {
  test('settles from outside', async () => {
    const [good, bad] = [createDeferred<number>(), createDeferred<number>()];
    good.resolve(3);
    bad.reject('no');
    expect(await good.promise).toBe(3);
    expect(await bad.promise.catch((reason) => reason)).toBe('no');
  });
});
