import { expect, test } from 'bun:test';
import { playgroundFiles, playgroundSecurityPolicy } from '../../src/playground/index.ts';

const files = playgroundFiles();
const textOf = (path: string): string => new TextDecoder().decode(files.get(path)?.body);

test('playgroundFiles() holds every file that the page names, and nothing else', () => {
  const named = [...textOf('/').matchAll(/(?:href|src)="([^"#]+)"/g)].map(([, path]) => `/${path}`);
  expect([...files.keys()].sort()).toEqual(['/', ...named].sort());
});

test('playgroundFiles() are under 100 kB and name no other host', () => {
  let bytes = 0;
  for (const [path, { body, contentType }] of files) {
    bytes += body.byteLength;
    expect(contentType.length).toBeGreaterThan(0);
    expect(textOf(path).replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/\b(https?:)?\/\/\w+\./);
  }
  expect(bytes).toBeLessThan(100_000);
});

test('the page needs nothing that its security policy forbids', () => {
  expect(playgroundSecurityPolicy).toContain("default-src 'none'");
  expect(playgroundSecurityPolicy).not.toContain('unsafe');
  expect(textOf('/')).not.toMatch(/<script(?![^>]*src=)|<style|\sstyle=|\son\w+=/);
});
