/** What the page knows about its server. */
export type ServerState = 'connecting' | 'loading' | 'restarting' | 'ready' | 'down';

/** Where the watch reports to. */
export interface HealthView {
  show(state: ServerState, words: string): void;
}

const POLL_MS = 1000;

async function ask(url: URL): Promise<[ServerState, string]> {
  try {
    const response = await fetch(url, { cache: 'no-store' });
    const body: { state?: string; model?: string; provider?: string } = await response
      .json()
      .catch(() => ({}));
    if (response.ok) return ['ready', [body.model, body.provider].filter(Boolean).join(' on ')];
    const state = body.state ?? (response.status === 503 ? 'loading' : `status ${response.status}`);
    if (state === 'loading') return ['loading', 'The model is loading…'];
    if (state === 'restarting') return ['restarting', 'The model crashed and is loaded again…'];
    return ['down', `The server is not ready: ${state}.`];
  } catch {
    return ['down', 'The server cannot be reached. Trying again…'];
  }
}

/** Polls `/health` until the server is ready. The returned function starts over, for use after a failed request. */
export function watchHealth(base: URL, view: HealthView): () => Promise<void> {
  let running: Promise<void> | undefined;
  const poll = async (): Promise<void> => {
    for (;;) {
      const [state, words] = await ask(new URL('health', base));
      view.show(state, words);
      if (state === 'ready') return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  };
  return () => {
    running ??= poll().finally(() => {
      running = undefined;
    });
    return running;
  };
}
