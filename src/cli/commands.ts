import type { Command } from './command.ts';

/** A subcommand before its file is loaded: `sdfp --help` loads none, and a command loads only what it needs. */
export interface CommandEntry {
  readonly name: string;
  /** One line. */
  readonly description: string;
  readonly load: () => Promise<{ readonly default: Command }>;
}

/** All subcommands, in the order of use. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'build',
    description: 'Bake an artifact from a Hugging Face model folder: score, choose a draft, measure, write',
    load: () => import('./commands/build.ts'),
  },
  {
    name: 'serve',
    description: 'Serve an artifact over HTTP, OpenAI-compatible, with streaming',
    load: () => import('./commands/serve.ts'),
  },
  {
    name: 'generate',
    description: 'Continue a prompt with an artifact or a bare model folder',
    load: () => import('./commands/generate.ts'),
  },
  {
    name: 'eval',
    description: 'Likelihood of token sequences under the model, and how well a pruned model agrees with it',
    load: () => import('./commands/eval.ts'),
  },
  {
    name: 'score',
    description: 'How much each block of a model matters, by a method of choice',
    load: () => import('./commands/score.ts'),
  },
  {
    name: 'inspect',
    description: 'Show what an artifact keeps and drops, layer by layer, and its numbers',
    load: () => import('./commands/inspect.ts'),
  },
  {
    name: 'bench',
    description: 'Measure speculation on against off, interleaved, over several workloads',
    load: () => import('./commands/bench.ts'),
  },
];
