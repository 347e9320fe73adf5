import type { ReactNode } from 'react';
import { createClient } from 'sdfp/client';
import { useCompletion } from 'sdfp/react';

const client = createClient({ baseUrl: 'http://localhost:3000' });

export function Story({ prompt }: { prompt: string }): ReactNode {
  const { text, status, error, start, stop } = useCompletion();
  const isBusy = status === 'streaming';
  const tell = () => start((signal) => client.complete({ prompt, max_tokens: 100 }, { signal }));
  return (
    <article aria-busy={isBusy}>
      <p>{prompt + text}</p>
      {status === 'failed' && <p role="alert">{String(error)}</p>}
      <button type="button" onClick={isBusy ? stop : tell}>
        {isBusy ? 'Stop' : 'Tell'}
      </button>
    </article>
  );
}
