import { describe, expect, test } from 'bun:test';
import { parseHTML } from 'linkedom';
import type { Manifest } from '../../src/artifact/index.ts';
import { bytes } from '../../src/report/format.ts';
import { type ReportInput, renderReport } from '../../src/report/index.ts';
import { extraBytes } from '../../src/report/plans.ts';
import { exampleInput, exampleManifest, exampleStudy } from './example.ts';

/** Both files of a report as text. */
async function render(input: ReportInput): Promise<{ readonly html: string; readonly markdown: string }> {
  const files = await renderReport(input);
  expect(files.map(({ name }) => name)).toEqual(['report.html', 'report.md']);
  const [html, markdown] = files.map((file) => new TextDecoder().decode(file.bytes));
  return { html: html!, markdown: markdown! };
}

/** The page as a document. */
async function open(input: ReportInput): Promise<Document> {
  return parseHTML((await render(input)).html).document;
}

/** Marks of the plot whose label begins with `plot`, in its groups described as `marks`…. */
function countMarks(page: Document, plot: string, marks: string): number {
  const svg = [...page.querySelectorAll('svg')].filter((element) =>
    element.getAttribute('aria-label')?.startsWith(plot),
  );
  expect(svg).toHaveLength(1);
  const groups = [...svg[0]!.querySelectorAll('g')].filter((group) =>
    group.getAttribute('aria-description')?.startsWith(marks),
  );
  return groups.reduce((sum, group) => sum + group.querySelectorAll('path, circle, rect').length, 0);
}

function withMeasured(change: Partial<NonNullable<Manifest['measured']>>): Manifest {
  return { ...exampleManifest, measured: { ...exampleManifest.measured!, ...change } };
}

describe('report.html', () => {
  test('needs nothing but itself: no script, no address, nothing to load', async () => {
    const { html } = await render(exampleInput);
    expect(html.replaceAll('http://www.w3.org/', '')).not.toMatch(/https?:|\/\/\w+\.\w/);
    expect(html).not.toMatch(/<script|<link|<img|<iframe|@import|\bsrc=|\bhref=|\bon\w+=|url\(/);
    expect(html).toStartWith('<!doctype html>');
  });

  test.each([
    ['Score of every block', 'block kept', 3],
    ['Score of every block', 'block dropped', 1],
    ['Interaction of every pair', 'compounding', 5],
    ['Interaction of every pair', 'compensating', 1],
    ['Agreement', 'method points', 9],
    ['Acceptance by position', 'acceptance', 2],
    ['Acceptance by position', 'survival', 2],
    ['Tokens per second by draft length', 'predicted speed', 4],
    ['Tokens per second by draft length', 'measured speed', 4],
    ['Acceptance rate against', 'plan ', 1],
    ['Acceptance rate against', 'served plan', 1],
    ['Speed of every candidate', 'predicted plan', 1],
    ['Speed of every candidate', 'plan ', 0],
  ])('the plot "%s" has of the marks "%s": %d', async (plot, marks, count) => {
    expect(countMarks(await open(exampleInput), plot, marks)).toBe(count);
  });

  test('marks rounded blocks and plans by shapes of their own, and shows memory where a plan needs some', async () => {
    const [drop1, drop2] = exampleManifest.drafts;
    const rounded = {
      ...drop1!,
      int8: [{ layer: 0, block: 'attn' }],
      int4: [{ layer: 0, block: 'mlp' }],
      extraBytes: 2_500_000,
    } as const;
    const manifest = { ...exampleManifest, drafts: [rounded, drop2!] };
    const page = await open({ ...exampleInput, manifest });
    const counts = ['kept', 'int8', 'int4', 'dropped'].map((state) =>
      countMarks(page, 'Score of every block', `block ${state}`),
    );
    expect(counts).toEqual([1, 1, 1, 1]);
    expect(countMarks(page, 'Acceptance rate against', 'plan int4')).toBe(1);
    expect(page.querySelector('svg[aria-label*="extra memory"]')).not.toBeNull();
    expect(page.querySelector('.lead')!.textContent).toContain('loads 2.5 MB of weights');
  });

  test('shows the acceptance of the draft that was tried where none is served', async () => {
    const page = await open({
      ...exampleInput,
      manifest: withMeasured({ servedDraft: null, acceptanceByPosition: [] }),
    });
    expect(countMarks(page, 'Acceptance by position', 'acceptance')).toBe(3);
    expect(page.querySelector('.example')!.parentElement!.textContent).toContain('which is not served');
  });

  test('has one mark per token of the example, with its text whole', async () => {
    const page = await open(exampleInput);
    const text = page.querySelector('.example')!;
    expect(text.textContent).toBe('Once upon a time there');
    const classes = [...text.querySelectorAll('span')].map((span) => span.getAttribute('class'));
    expect(classes).toEqual(['prompt', 'target', 'draft', 'draft', 'lookup']);
  });

  test('escapes names and texts', async () => {
    const evil = '</style><script>alert("1")</script>&amp;';
    const piece = { text: evil, origin: 'draft' };
    const { html, markdown } = await render({
      settings: [{ name: evil, value: evil, isDefault: false }],
      manifest: {
        ...exampleManifest,
        name: evil,
        measured: {
          ...exampleManifest.measured!,
          machine: { ...exampleManifest.measured!.machine, cpu: evil },
        },
      },
      study: {
        ...exampleStudy,
        methods: {
          ...exampleStudy.methods,
          methods: [{ method: evil, points: exampleStudy.methods.methods[0]!.points }],
        },
        example: { ...exampleStudy.example!, prompt: evil, pieces: [piece] },
      },
    });
    expect(html).not.toContain('<script');
    expect(html.match(/<\/style>/g)).toHaveLength(1);
    const { document } = parseHTML(html);
    expect(document.querySelector('h1')!.textContent).toBe(evil);
    expect(document.querySelector('.example')!.textContent).toBe(evil + evil);
    expect(markdown).not.toMatch(/(?<!\\)<(?!!-- written)/);
  });

  test('leaves out what there is not, and never shows a hole', async () => {
    const { matrix: _, ...scores } = exampleManifest.scores;
    const bare = { ...exampleManifest, scores: { ...scores, matrix: null }, drafts: [], measured: null };
    const inputs: ReportInput[] = [
      { settings: [], manifest: bare, study: null },
      { ...exampleInput, study: { ...exampleStudy, draft: null, example: null } },
      {
        ...exampleInput,
        manifest: withMeasured({ servedDraft: null, acceptanceRate: null, acceptanceByPosition: [] }),
      },
      {
        ...exampleInput,
        manifest: withMeasured({
          candidates: [
            {
              ...exampleManifest.measured!.candidates[0]!,
              acceptanceRate: null,
              predictedTokensPerSecond: null,
            },
          ],
        }),
      },
    ];
    for (const input of inputs) {
      const { html, markdown } = await render(input);
      expect(html + markdown).not.toMatch(/undefined|\bNaN\b|Infinity|\bnull\b|\[object/);
    }
    const page = await open(inputs[0]!);
    expect(page.querySelectorAll('figure svg.plot:not(.legend svg)')).toHaveLength(1);
    expect(page.querySelector('.lead')!.textContent).toContain('Nothing was measured');
  });
});

describe('report.md', () => {
  test('says what the manifest says', async () => {
    const { markdown } = await render(exampleInput);
    const { measured, calibration } = exampleManifest;
    const ratio = measured!.measuredTokensPerSecond / measured!.plainTokensPerSecond;
    expect(markdown).toContain(`- **${ratio.toFixed(2)}×** the speed of plain decoding`);
    expect(markdown).toContain(`- **${measured!.measuredTokensPerSecond}** tokens/s with the draft`);
    expect(markdown).toContain(`- **${measured!.plainTokensPerSecond.toFixed(0)}** tokens/s without guesses`);
    expect(markdown).toContain('- **420** tokens/s by prompt lookup alone');
    expect(markdown).toContain('- **81%** of drafted tokens accepted');
    expect(markdown).toContain('| drop-1 (served) | 1 | 75% | all | none | – | 80% | 1.10 ms | 500.0 | – |');
    const memory = bytes(extraBytes(exampleManifest.drafts[1]!));
    expect(markdown).toContain(`| drop-2 | 2 | 50% | 3 | ${memory} | 0.13 | – | – | – | – |`);
    expect(markdown).toContain(
      `| Scored | ${calibration.sequences} sequences, ${calibration.tokens} tokens |`,
    );
    expect(markdown).toContain('| Threads of the session | 2 (the fastest); compared: default, 2 |');
    expect(markdown).toContain(`| Target step, 4 tokens | 3.30 ms |`);
    expect(markdown).toContain('| fit | 0.700 (75%) | 0.500 (50%) | 0.300 (25%) |');
    expect(markdown).toContain('| --seed | 7 |');
  });

  test('keeps a name with markup on one line of plain text', async () => {
    const { markdown } = await render({
      ...exampleInput,
      manifest: { ...exampleManifest, name: 'a|b\n# `c` _d_' },
    });
    expect(markdown).toContain('# a\\|b \\# \\`c\\` \\_d\\_\n');
  });
});
