import { afterAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { isSdfpError, SdfpError } from '../../src/lib/errors.ts';
import { encodeModel, GraphBuilder } from '../../src/onnx/index.ts';
import { loadBinding } from '../../src/runtime/binding.ts';
import { floatTensor, openSession } from '../../src/runtime/index.ts';

const dir = mkdtempSync(join(tmpdir(), 'sdfp-session-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** y = x * w and z = x + w, w [3] = 1, 2, 3 from `file`; x may have any number of rows. */
function scaleGraph(file = 'weights.bin'): Uint8Array {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['N', 3]);
  const w = g.initializer('w', 'float32', [3], {
    kind: 'external',
    file,
    offsetBytes: 0,
    lengthBytes: 12,
  });
  g.output('y', g.op.Mul(x, w));
  g.output(
    'z',
    g.scope('sum', () => g.op.Add(x, w)),
  );
  return encodeModel(g.build());
}

function weightsDir(name: string): string {
  const folder = join(dir, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'weights.bin'), new Uint8Array(Float32Array.of(1, 2, 3).buffer));
  return folder;
}

async function failure(promise: Promise<unknown>): Promise<SdfpError> {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  if (error instanceof SdfpError) return error;
  throw new TypeError(`expected an SdfpError, found ${error}`);
}

describe('openSession()', () => {
  test('runs what is fetched, with feeds that are refilled', async () => {
    const session = await openSession({ graph: scaleGraph(), weightsDir: weightsDir('plain'), threads: 1 });
    const x = floatTensor(new Float32Array(3), [1, 3]);
    for (const factor of [1, 2]) {
      (x.data as Float32Array).fill(factor);
      const outputs = session.run({ x }, ['y']);
      expect(Object.keys(outputs)).toEqual(['y']);
      expect(outputs.y!.dims).toEqual([1, 3]);
      expect(outputs.y!.type).toBe('float32');
      expect([...outputs.y!.data].map(Number)).toEqual([factor, 2 * factor, 3 * factor]);
    }
    expect(Object.keys(session.run({ x }, ['z', 'y'])).sort()).toEqual(['y', 'z']);
    session.dispose();
  });

  test('follows links out of the weights folder, as a Hugging Face cache has them', async () => {
    const blobs = weightsDir('cache/blobs');
    const snapshot = join(dir, 'cache/snapshots/main');
    mkdirSync(snapshot, { recursive: true });
    symlinkSync('../../blobs/weights.bin', join(snapshot, 'weights.bin'));
    symlinkSync(blobs, join(dir, 'linked-folder'));
    for (const folder of [snapshot, join(dir, 'linked-folder')]) {
      const session = await openSession({ graph: scaleGraph(), weightsDir: folder });
      const y = session.run({ x: floatTensor(Float32Array.of(1, 1, 1), [1, 3]) }, ['y']).y!;
      expect([...y.data].map(Number)).toEqual([1, 2, 3]);
      session.dispose();
    }
  });

  test.each([
    '../weights.bin',
    'sub/../../weights.bin',
    '..\\weights.bin',
    join(dir, 'weights.bin'),
    'C:\\weights.bin',
    '',
  ])('a graph that names weights outside of the folder is refused: %p', async (file) => {
    writeFileSync(join(dir, 'weights.bin'), new Uint8Array(12));
    const folder = weightsDir('inside');
    mkdirSync(join(folder, 'sub'), { recursive: true });
    const error = await failure(openSession({ graph: scaleGraph(file), weightsDir: folder }));
    expect(error.code).toBe('runtime_failed');
    expect(error.message).toContain(`the graph names ${JSON.stringify(file)}`);
  });

  test('a graph that names weights which the caller did not list is refused', async () => {
    const options = { graph: scaleGraph(), weightsDir: weightsDir('plain') };
    (await openSession({ ...options, weightFiles: ['a.bin', 'weights.bin'] })).dispose();
    const error = await failure(openSession({ ...options, weightFiles: ['a.bin'] }));
    expect(error.code).toBe('runtime_failed');
    expect(error.message).toContain('the graph names "weights.bin"');
  });

  test('a graph that hides the name of a file in a branch is refused too', async () => {
    const folder = weightsDir('branch');
    const g = new GraphBuilder();
    const condition = g.input('condition', 'bool', [1]);
    const branches = ['a', 'b'].map((text) => () => [g.constant([text.charCodeAt(0)], 'float32', [1])]);
    g.output('y', g.if(condition, branches[0]!, branches[1]!)[0]!);
    const tensor = new BinaryWriter()
      .tag(13, 2)
      .bytes(new BinaryWriter().tag(1, 2).string('location').tag(2, 2).string('../weights.bin').finish());
    // Parts of one message that follow each other are merged: model.graph.node.attribute.g.initializer.
    const path = [5, 6, 5, 1, 7];
    const hidden = path.reduce(
      (bytes, field) => new BinaryWriter().tag(field, 2).bytes(bytes).finish(),
      tensor.finish(),
    );
    const graph = Buffer.concat([encodeModel(g.build()), hidden]);
    const error = await failure(openSession({ graph, weightsDir: folder }));
    expect(error.message).toContain('the graph names "../weights.bin"');
  });

  test('weights in a folder of the weights folder are found', async () => {
    weightsDir('nested/sub');
    const graph = scaleGraph('sub/weights.bin');
    const session = await openSession({ graph, weightsDir: join(dir, 'nested') });
    const y = session.run({ x: floatTensor(Float32Array.of(1, 1, 1), [1, 3]) }, ['y']).y!;
    expect([...y.data].map(Number)).toEqual([1, 2, 3]);
    session.dispose();
  });

  test('a missing weights file is named', async () => {
    const empty = mkdtempSync(join(dir, 'empty-'));
    const error = await failure(openSession({ graph: scaleGraph(), weightsDir: empty }));
    expect(error.code).toBe('runtime_failed');
    expect(error.message).toContain(`finding its weights in ${empty} failed`);
    expect(error.message).toContain('weights.bin');
  });

  test('a truncated weights file is refused', async () => {
    const short = weightsDir('short');
    writeFileSync(join(short, 'weights.bin'), new Uint8Array(8));
    const error = await failure(openSession({ graph: scaleGraph(), weightsDir: short }));
    expect(error.code).toBe('runtime_failed');
    expect(error.message).toContain('Opening a session failed');
  });

  test('a broken graph is refused', async () => {
    const whole = scaleGraph();
    for (const graph of [whole.subarray(0, whole.length / 2), Uint8Array.of(1, 2, 3)]) {
      const error = await failure(openSession({ graph, weightsDir: weightsDir('plain') }));
      expect(error.code).toBe('runtime_failed');
      expect(error.message).toContain('reading the graph failed');
      expect(error.cause).toBeDefined();
    }
  });

  test('a graph that ONNX Runtime refuses is reported with its words', async () => {
    const bytes = Buffer.from(scaleGraph());
    bytes.write('Mux', bytes.lastIndexOf('Mul'));
    const error = await failure(openSession({ graph: bytes, weightsDir: weightsDir('plain') }));
    expect(error.code).toBe('runtime_failed');
    expect(error.message).toMatch(/Opening a session failed.*Mux/s);
  });

  test('an execution provider that is not there is refused, saying what is', async () => {
    const providers = loadBinding().binding.listSupportedBackends();
    expect(providers).toContainEqual({ name: 'cpu', bundled: true });
    const missing = providers.find(({ name, bundled }) => name === 'cuda' && !bundled);
    if (missing === undefined) return;
    const error = await failure(
      openSession({ graph: scaleGraph(), weightsDir: weightsDir('plain'), provider: 'cuda' }),
    );
    expect(error.code).toBe('provider_unavailable');
    expect(error.param).toBe('provider');
    expect(error.message).toMatch(/cuda.*Bundled here: cpu/s);
  });
});

describe('Session', () => {
  test('run() names the node that failed and keeps the cause', async () => {
    const session = await openSession({ graph: scaleGraph(), weightsDir: weightsDir('plain') });
    const x = floatTensor(new Float32Array(4), [1, 4]);
    expect(() => session.run({ x }, ['z'])).toThrow(
      /Running the graph failed.*invalid dimensions|Got: 4 Expected: 3/,
    );
    try {
      session.run({}, ['z']);
      expect.unreachable();
    } catch (error) {
      expect(isSdfpError(error, 'runtime_failed')).toBe(true);
      expect(String(error)).toMatch(/at node (sum\.Add|Mul)/);
    }
    session.dispose();
  });

  test('dispose() may be called twice; a run after it is refused', async () => {
    const session = await openSession({ graph: scaleGraph(), weightsDir: weightsDir('plain') });
    session.dispose();
    session.dispose();
    expect(() => session.run({}, ['y'])).toThrow('disposed');
  });

  test('works in a worker thread', async () => {
    const worker = new Worker(new URL('./session-worker.ts', import.meta.url), {
      workerData: { graph: scaleGraph(), weightsDir: weightsDir('plain') },
    });
    const answer = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    expect(answer).toEqual([2, 4, 6]);
    await worker.terminate();
  });
});
