/** What the page knows about its server. */
export type ServerState = 'connecting' | 'loading' | 'ready' | 'down';

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
    const isLoading = response.status === 503 && (body.state ?? 'loading') === 'loading';
    if (isLoading) return ['loading', 'The model is loading…'];
    return ['down', `The server is not ready: ${body.state ?? `status ${response.status}`}.`];
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
