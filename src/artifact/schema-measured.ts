import * as v from 'valibot';
import { camelKeys } from './case.ts';
import { amount, count, described, orNull, share, text } from './schema-fields.ts';
import type { MeasuredFacts } from './types.ts';

const machine = v.strictObject({
  cpu: text('Model of the processor'),
  cores: count('Processor cores usable by the process', 'cores'),
  memory_bytes: count('Main memory', 'bytes'),
  os: text('Operating system and architecture'),
  runtime: text('JavaScript runtime and version'),
});

const costs = v.strictObject({
  draft_ms: orNull(
    amount,
    'Draft step of one token after another, the least of some; null: there is no draft',
    'ms',
  ),
  draft_start_ms: amount("What a round's first draft step takes on top; 0 without a draft", 'ms'),
  target_ms: amount('Target step of one token, the least of some', 'ms'),
  verification: described(
    v.array(
      v.strictObject({
        width: count('New tokens in the step', 'tokens'),
        ms: amount('Target step of that width, the least of some', 'ms'),
      }),
    ),
    'Target steps by width',
  ),
});

const threadCount = v.strictObject({
  threads: orNull(
    count,
    'Threads of the session; null: the default of the process, one per physical core or per core it may use where these are fewer',
    'threads',
  ),
  draft_ms: orNull(
    amount,
    'Draft step of one token after another, the least of some; null: there is no draft',
    'ms',
  ),
  draft_start_ms: amount("What a round's first draft step takes on top; 0 without a draft", 'ms'),
  target_ms: amount('Target step of one token, the least of some', 'ms'),
  draft_length: count('Best draft length for these costs; 0: plain decoding', 'tokens'),
  verification_ms: amount('Target step of draft_length + 1 tokens, the least of some', 'ms'),
  predicted_tokens_per_second: amount('Speed by the formula from acceptance and these costs', 'tokens/s'),
});

const threads = v.pipe(
  v.strictObject({
    chosen: orNull(
      count,
      'Clearly faster than the default, and the fastest; null: none was, or none were compared. All other figures of this section are with the default',
      'threads',
    ),
    skipped: described(v.nullable(text('A reason')), 'Why no counts were compared; null: they were'),
    counts: described(v.array(threadCount), 'Each count that was compared'),
  }),
  v.check(
    ({ chosen, counts }) => chosen === null || counts.some((entry) => entry.threads === chosen),
    'the chosen count is not among the counts',
  ),
);

const candidate = v.strictObject({
  name: text('Name of the draft'),
  acceptance_rate: described(
    v.nullable(share('Accepted over drafted tokens')),
    'Accepted over drafted tokens; null: not measured, even full acceptance would not make it the fastest',
    'share, 0..1',
  ),
  draft_ms: amount('Draft step of one token after another, the least of some', 'ms'),
  draft_start_ms: amount("What a round's first draft step takes on top", 'ms'),
  predicted_tokens_per_second: orNull(
    amount,
    'Speed by the formula from acceptance and costs; null: acceptance was not measured',
    'tokens/s',
  ),
  measured_tokens_per_second: orNull(amount, 'Speed of real speculative decoding; null: not run', 'tokens/s'),
  ratios: described(
    v.array(amount('Plain time over speculative time', 'ratio')),
    'Of each round of real speculative decoding against plain decoding, in two passes of equal length; the median decides',
  ),
});

/** What one machine measured; same inputs and seed give the same manifest but for this. */
export const MeasuredSchema: v.GenericSchema<unknown, MeasuredFacts> = v.pipe(
  described(
    v.strictObject({
      date: described(v.pipe(v.string(), v.isoTimestamp()), 'When, ISO 8601 in UTC'),
      machine: described(machine, 'Where'),
      threads: described(threads, 'Thread counts for the session of the served graph'),
      served_draft: described(
        v.nullable(text('Name of a draft')),
        'The draft that is served; null: none pays, prompt lookup alone guesses',
      ),
      chosen_by: described(
        v.picklist(['speed', 'keep', 'none']),
        'speed: fastest of the drafts; keep: given by --keep; none: no draft pays',
      ),
      acceptance_rate: described(
        v.nullable(share('Accepted over drafted tokens')),
        'Of the served draft on held-out text; null: there is no draft',
        'share, 0..1',
      ),
      acceptance_by_position: described(
        v.array(share('Share accepted')),
        'Entry i: of the drafts that reached position i, the share accepted there',
        'share, 0..1',
      ),
      costs: described(costs, 'Times of single steps, batch 1'),
      plain_tokens_per_second: amount('Speed without speculation', 'tokens/s'),
      lookup_tokens_per_second: amount('Speed without a draft, by prompt lookup alone', 'tokens/s'),
      predicted_tokens_per_second: amount(
        'Speed with the served draft by the formula from acceptance and costs',
        'tokens/s',
      ),
      measured_tokens_per_second: amount(
        'Speed of what is served: with its draft, if any, and prompt lookup',
        'tokens/s',
      ),
      candidates: described(v.array(candidate), 'Each draft that was measured'),
    }),
    'What one machine measured',
  ),
  v.transform((wire) => camelKeys(wire)),
);
