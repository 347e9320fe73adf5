import { find } from './dom.ts';

const VIEWS = ['chat', 'race', 'plan'] as const;
export type ViewName = (typeof VIEWS)[number];

/** The part of the page that is shown, by the address' hash, so that links and the back button work. */
export interface Views {
  readonly current: ViewName;
}

/** `onChange` hears of the first view, too. */
export function createViews(onChange: (view: ViewName) => void): Views {
  const read = (): ViewName => VIEWS.find((name) => `#${name}` === location.hash) ?? 'chat';
  const show = (): void => {
    const current = read();
    for (const name of VIEWS) {
      find(`${name}-view`, HTMLElement).hidden = name !== current;
      find(`${name}-link`, HTMLAnchorElement).ariaCurrent = name === current ? 'page' : null;
    }
    find('figures', HTMLElement).hidden = current !== 'chat';
    onChange(current);
  };
  addEventListener('hashchange', show);
  show();
  return {
    get current() {
      return read();
    },
  };
}
