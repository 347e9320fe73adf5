/** sdfp as a peer among the others: reads a job from standard input, answers with a line of JSON (protocol.ts). */
import { openModel } from '../../../src/cli/model.ts';
import type { Engine, GenerateRequest } from '../../../src/engine/index.ts';
import { measuredRequest } from '../../../src/measure/requests.ts';
import { withoutSpeculation } from '../../../src/measure/speed.ts';
import type { Answer, Generation, Job } from './protocol.ts';

const job: Job = await Bun.stdin.json();
const startedMs = performance.now();
await using model = await openModel(job.model, { provider: undefined, threads: job.threads });
const loadMs = performance.now() - startedMs;

const requests = job.prompts.map((promptIds) => {
  const request = measuredRequest({ promptIds, tokens: job.tokens, temperature: 0, seed: 0 });
  return job.mode === 'plain' ? withoutSpeculation(request) : request;
});
await generate(model.engine, requests[0]!);
const answer: Answer = { loadMs, generations: await generateAll(model.engine) };
console.log(JSON.stringify(answer));

async function generateAll(engine: Engine): Promise<Generation[]> {
  if (job.mode === 'together') return Promise.all(requests.map((request) => generate(engine, request)));
  const generations: Generation[] = [];
  for (const request of requests) generations.push(await generate(engine, request));
  return generations;
}

async function generate(engine: Engine, request: GenerateRequest): Promise<Generation> {
  const calledMs = performance.now();
  let first: { ms: number; tokens: number } | undefined;
  const ids: number[] = [];
  for await (const event of engine.generate(request)) {
    if (event.type !== 'tokens') continue;
    ids.push(...event.ids);
    first ??= { ms: performance.now(), tokens: ids.length };
  }
  if (first === undefined) throw new Error('generating: the engine ended without a token');
  const endedMs = performance.now();
  return { ids, ms: endedMs - calledMs, decodeMs: endedMs - first.ms, decoded: ids.length - first.tokens };
}
