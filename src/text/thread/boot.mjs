/** First file of the tokenizer's thread: Node hands no TypeScript loader down to workers, so each takes its own. */
import { enableTypeScript } from '../../lib/typescript.mjs';

await enableTypeScript();
await import('./entry.ts');
