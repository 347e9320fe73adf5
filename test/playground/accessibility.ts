import type { Page } from 'playwright-core';

/** Name that Chromium computes for a screen reader. */
export async function nameOf(page: Page, id: string): Promise<{ name: string }> {
  const devtools = await page.context().newCDPSession(page);
  const { root } = await devtools.send('DOM.getDocument');
  const { nodeId } = await devtools.send('DOM.querySelector', { nodeId: root.nodeId, selector: `#${id}` });
  const { nodes } = await devtools.send('Accessibility.getPartialAXTree', { nodeId, fetchRelatives: false });
  return { name: String(nodes[0]?.name?.value ?? '') };
}

/** WCAG 2.2 contrast of each text colour against the paper. */
export async function contrasts(page: Page): Promise<Record<string, number>> {
  return await page.evaluate(() => {
    const style = getComputedStyle(document.documentElement);
    const luminance = (name: string): number => {
      const hex = style.getPropertyValue(name).trim();
      const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
        const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const paper = luminance('--paper');
    const names = ['--ink', '--faint', '--draft', '--lookup', '--target', '--error'];
    return Object.fromEntries(
      names.map((name) => {
        const [dark = 0, light = 0] = [paper, luminance(name)].sort((a, b) => a - b);
        return [name, (light + 0.05) / (dark + 0.05)];
      }),
    );
  });
}
