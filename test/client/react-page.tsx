/** The README's component, and one that begins twice, in a browser. */
import { type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createClient } from '../../src/client/index.ts';
import { useCompletion } from '../../src/client/react.ts';
import { Story } from './examples/react.tsx';

const client = createClient({ baseUrl: location.origin });

function Twice(): ReactNode {
  const { text, status, start } = useCompletion();
  const begin = () => {
    for (const prompt of ['first', 'second']) start((signal) => client.complete({ prompt }, { signal }));
  };
  return (
    <section>
      <button type="button" onClick={begin}>
        Twice
      </button>
      <output>{`${status}: ${text}`}</output>
    </section>
  );
}

const root = createRoot(document.querySelector('#root')!);
root.render(
  <StrictMode>
    <Story prompt="Once" />
    <Twice />
  </StrictMode>,
);
addEventListener('unmount', () => root.unmount());
