import type { Context } from 'hono';
import type { GenerationOptions } from '../../api/index.ts';
import type { AppEnv, ServerContext } from '../context.ts';
import { invalidRequest, toApiError } from '../errors.ts';
import type { ServedModel } from '../model-host.ts';
import { ownerOf } from '../owner.ts';
import type { RequestRecord } from '../request-record.ts';
import { openScope, type RequestScope } from '../scope.ts';
import { formatEvent, SSE_HEADERS, sseBody } from '../sse.ts';
import type { AnswerFormat, CollectedChoice, CreateFormat } from './format.ts';
import { type GenerateContext, generateChoice } from './generate.ts';
import type { Job } from './job.ts';
import { merge } from './merge.ts';
import type { ChoiceEvent, Finish, Piece } from './pieces.ts';
import { addTally, createTally, toMetrics, toUsage } from './tally.ts';

/** A request of one API family, ready but for the model. */
export interface Completion {
  readonly options: GenerationOptions;
  /** Default 1; each is answered `n` times. */
  readonly prompts?: number;
  readonly toJob: (model: ServedModel, signal: AbortSignal) => Promise<Job>;
  readonly createFormat: CreateFormat;
}

/** Answers as JSON or as a stream. Everything that can be refused is refused before a stream begins. */
export async function respond(
  c: Context<AppEnv>,
  server: ServerContext,
  completion: Completion,
): Promise<Response> {
  const { options, prompts = 1 } = completion;
  const release = server.admission.enter(prompts * options.choices);
  const scope = openScope(c.req.raw.signal, server.requestTimeoutMs);
  scope.onClose(release);
  try {
    const run = await prepare(server, completion, scope, c.get('record'), await ownerOf(c));
    if (!options.isStream) return c.json(await collect(run));
    c.get('record').isStream = true;
    const body = sseBody(streamChunks(run), { keepAliveMs: server.keepAliveMs, onCancel: scope.abandon });
    // From here on the stream closes the scope.
    return c.body(body, 200, { ...SSE_HEADERS });
  } catch (error) {
    scope.abandon();
    throw error;
  } finally {
    if (!options.isStream) scope.close();
  }
}

/** One request on its way to its answer. */
interface Run {
  readonly job: Job;
  readonly format: AnswerFormat;
  readonly events: AsyncGenerator<ChoiceEvent>;
  readonly scope: RequestScope;
  readonly record: RequestRecord;
}

async function prepare(
  server: ServerContext,
  { options, toJob, createFormat }: Completion,
  scope: RequestScope,
  record: RequestRecord,
  owner: string,
): Promise<Run> {
  const model = await server.host.whenReady(scope.signal);
  checkModel(model, options.model);
  const job = await scope.outlast(toJob(model, scope.signal));
  record.generation = {
    model: model.id,
    promptTokens: job.promptTokens,
    choices: job.choices.length,
    request: job.choices[0]!.request,
    firstTokenMs: undefined,
    finishReasons: [],
  };
  const context: GenerateContext = { ...model, scope, owner, watch: server.metrics.watch };
  return {
    job,
    format: createFormat({ model, includeUsage: options.includeUsage }),
    events: counted(merge(job.choices.map((choice) => generateChoice(choice, context))), record),
    scope,
    record,
  };
}

/** Counts for log and traces, also of answers that break off. */
async function* counted(
  events: AsyncGenerator<ChoiceEvent>,
  record: RequestRecord,
): AsyncGenerator<ChoiceEvent> {
  const { generation } = record;
  record.tokens = 0;
  for await (const event of events) {
    if (event.type === 'finish') generation?.finishReasons.push(event.reason);
    else record.tokens += event.ids.length;
    if (generation !== undefined && record.tokens > 0) {
      generation.firstTokenMs ??= performance.now() - record.startedMs;
    }
    yield event;
  }
}

/** Errors: 404 `model_not_found`. */
export function checkModel(model: ServedModel, wanted: string | undefined): void {
  if (wanted === undefined || wanted === model.id) return;
  const message = `Finding the model: ${JSON.stringify(wanted.slice(0, 100))} is not served, needs "${model.id}".`;
  throw invalidRequest(404, 'model_not_found', message, { param: 'model' });
}

async function collect({ job, events, format, record }: Run): Promise<object> {
  const pieces = new Map<number, Piece[]>(job.choices.map(({ index }) => [index, []]));
  const finishes = new Map<number, Finish>();
  for await (const event of events) {
    if (event.type === 'piece') pieces.get(event.index)!.push(event);
    else finishes.set(event.index, event);
  }
  const collected = job.choices.map(
    (choice): CollectedChoice => ({
      choice,
      pieces: pieces.get(choice.index)!,
      finish: finishes.get(choice.index)!,
    }),
  );
  const tally = createTally();
  record.tally = tally;
  for (const { finish } of collected) addTally(tally, finish.tally);
  return format.answer(collected, toUsage(tally, job.promptTokens), toMetrics(tally));
}

/** The events of a stream, formatted. Never throws: a failure becomes the last event. */
async function* streamChunks(run: Run): AsyncGenerator<string> {
  let status = 499;
  try {
    for await (const chunk of chunks(run)) {
      yield formatEvent(JSON.stringify(chunk), run.format.eventName?.(chunk));
    }
    status = 200;
    if (run.format.endsWithDone) yield formatEvent('[DONE]');
  } catch (error) {
    const failure = toApiError(error);
    status = run.scope.signal.aborted && !run.scope.isTimedOut ? 499 : failure.status;
    if (failure.status >= 500) run.record.failure = String(error);
    yield formatEvent(JSON.stringify(run.format.failure(failure.body)), 'error');
  } finally {
    if (status === 200) run.scope.close();
    else run.scope.abandon();
    run.record.end(status);
  }
}

async function* chunks({ job, events, format, record }: Run): AsyncGenerator<object> {
  const tally = createTally();
  record.tally = tally;
  for (const choice of job.choices) yield* format.opening(choice);
  for await (const event of events) {
    const choice = job.choices[event.index]!;
    if (event.type === 'finish') addTally(tally, event.tally);
    yield* event.type === 'piece' ? format.piece(choice, event) : format.finish(choice, event);
  }
  yield* format.closing(toUsage(tally, job.promptTokens), toMetrics(tally));
}
