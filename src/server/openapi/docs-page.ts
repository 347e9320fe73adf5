import type { Content, OpenApiDocument, OperationJson, Schema } from './document.ts';

/** The page at /docs: everything of /openapi.json as headings and tables, no script. */
export function renderDocs({ info, paths, components }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => renderOperation(method, path, operation)),
  );
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `<h3 id="${name}">${name}</h3>${renderSchema(schema)}`,
  );
  const links = Object.keys(paths).map(
    (path) => `<li><a href="#${anchor(path)}">${escapeHtml(path)}</a></li>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(info.title)} API</title>
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<header><h1>${escapeHtml(info.title)} API <small>${escapeHtml(info.version)}</small></h1>
<p>${escapeHtml(info.description)} The same for programs: <a href="/openapi.json">/openapi.json</a>.
<a href="/">Playground</a></p></header>
<nav aria-label="Routes"><ul>${links.join('')}</ul></nav>
<main><h2>Routes</h2>${operations.join('\n')}<h2>Objects</h2>${schemas.join('\n')}</main>
</body>
</html>
`;
}

function renderOperation(method: string, path: string, operation: OperationJson): string {
  const { summary, parameters, requestBody, responses } = operation;
  const rows = Object.entries(responses).map(
    ([status, { description, content }]) =>
      `<tr><td>${status}</td><td>${renderContent(content)}</td><td>${renderText(description)}</td></tr>`,
  );
  const body = requestBody === undefined ? '' : `<p>Body: ${renderContent(requestBody.content)}</p>`;
  const names = parameters.map(
    ({ name, in: place, description }) =>
      `<li><code>${escapeHtml(name)}</code> (${place}): ${renderText(description)}</li>`,
  );
  return `<section id="${anchor(path)}"><h3><code>${method.toUpperCase()} ${escapeHtml(path)}</code></h3>
<p>${escapeHtml(summary)}.</p>${body}<ul>${names.join('')}</ul>
<table><thead><tr><th>Status</th><th>Answer</th><th></th></tr></thead><tbody>${rows.join('')}</tbody></table></section>`;
}

function renderContent(content: Content | undefined): string {
  const entries = Object.entries(content ?? {});
  return entries.map(([type, { schema }]) => `<code>${type}</code>: ${renderType(schema)}`).join('<br>');
}

function renderSchema(schema: Schema): string {
  if (schema.properties === undefined) return `<p>${renderType(schema)}</p>`;
  const rows = Object.entries(schema.properties).map(([name, field]) => {
    const isRequired = schema.required?.includes(name) ?? false;
    const { description } = withoutNull(field);
    return `<tr><td><code>${escapeHtml(name)}</code>${isRequired ? ' *' : ''}</td><td>${renderType(field)}</td><td>${renderText(description ?? '')}</td></tr>`;
  });
  return `<table><thead><tr><th>Field</th><th>Type</th><th></th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

/** Fields may be null wherever they may be absent; saying so on each line would hide the rest. */
function withoutNull(schema: Schema): Schema {
  const options = schema.anyOf?.filter((option) => option.type !== 'null') ?? [];
  return options.length === 1 && options[0] !== undefined
    ? { ...options[0], ...onlyDescription(schema) }
    : schema;
}

function onlyDescription({ description }: Schema): Pick<Schema, 'description'> {
  return description === undefined ? {} : { description };
}

function renderType(schema: Schema): string {
  const bare = withoutNull(schema);
  if (bare.$ref !== undefined) {
    const name = bare.$ref.split('/').at(-1) ?? '';
    return `<a href="#${name}">${name}</a>`;
  }
  if (bare.const !== undefined) return `<code>${escapeHtml(JSON.stringify(bare.const))}</code>`;
  if (bare.enum !== undefined)
    return bare.enum.map((value) => `<code>${escapeHtml(String(value))}</code>`).join(', ');
  if (bare.anyOf !== undefined) return bare.anyOf.map(renderType).join(' or ');
  if (bare.properties !== undefined)
    return `<details><summary>object</summary>${renderSchema(bare)}</details>`;
  if (bare.items !== undefined) return `list of ${renderType(bare.items)}`;
  return `${bare.type ?? 'anything'}${renderRange(bare)}`;
}

function renderRange({ minimum, maximum }: Schema): string {
  if (minimum === undefined && maximum === undefined) return '';
  return ` ${minimum ?? ''} to ${maximum ?? ''}`;
}

/** Code in backquotes. */
function renderText(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

function anchor(path: string): string {
  return path.replace(/\W+/g, '-');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

export const DOCS_STYLE = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
nav ul { columns: 16rem; padding-left: 1.2rem; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1rem; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid #8884; }
code { font-family: ui-monospace, monospace; font-size: 0.92em; }
small { font-weight: normal; opacity: 0.7; }
section { margin-top: 1.5rem; }
`;
