/**
 * Text that keeps to a grammar: JSON Schema to an automaton over bytes, its states to token masks. Own code, because the
 * one kept package for it (`@mlc-ai/web-xgrammar` 0.1.27) cannot be imported by name in Node and Deno, gives its masks as
 * promises while sampling is synchronous, and drops some keywords silently (mlc-ai/xgrammar#749).
 */
export type { TokenConstraint } from './constraint.ts';
export { compileGrammar, matchesGrammar } from './grammar.ts';
export { GrammarStore } from './store.ts';
export type * from './types.ts';
