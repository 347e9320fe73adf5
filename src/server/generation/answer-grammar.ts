import type { AnswerSchema, ToolBody, ToolUse } from '../../api/index.ts';
import { compileGrammar, type GrammarSpec, type JsonSchema } from '../../grammar/index.ts';
import { SdfpError } from '../../lib/errors.ts';
import type { ToolCallForm } from '../../text/types.ts';

/**
 * What an answer must look like, checked; undefined: any text. A required call goes before a format.
 * `field`: what to blame for the format. Errors: SdfpError `invalid_request`.
 */
export function answerGrammar(
  input: { readonly toolUse?: ToolUse; readonly answerSchema: AnswerSchema },
  form: ToolCallForm,
  field: string,
): GrammarSpec | undefined {
  const { toolUse, answerSchema } = input;
  if (toolUse?.mode === 'required') {
    return check(toolCallGrammar(toolUse.tools, form), 'tools');
  }
  return answerSchema === undefined ? undefined : check({ kind: 'json', schema: answerSchema }, field);
}

function toolCallGrammar(tools: readonly ToolBody[], form: ToolCallForm): GrammarSpec {
  const literal = (text: string): GrammarSpec => ({ kind: 'literal', text });
  const space = form.open === '' ? '' : '\n';
  return {
    kind: 'choice',
    options: tools.map(({ function: { name, parameters } }) => ({
      kind: 'sequence',
      parts: [
        literal(`${form.open}${space}{"name": ${JSON.stringify(name)}, "${form.argumentsKey}": `),
        { kind: 'json', schema: toObjectSchema(name, parameters ?? {}) },
        literal(`}${space}${form.close}`),
      ],
    })),
  };
}

/** Arguments are an object, also where the schema forgets to say so. */
function toObjectSchema(name: string, parameters: Readonly<Record<string, unknown>>): JsonSchema {
  const { type = 'object' } = parameters;
  if (type === 'object') return { ...parameters, type };
  throw new SdfpError(
    'invalid_request',
    `Reading the request: the parameters of ${JSON.stringify(name)} have the type ${JSON.stringify(type)}, need "object".`,
    { param: 'tools' },
  );
}

function check(spec: GrammarSpec, field: string): GrammarSpec {
  try {
    compileGrammar(spec);
    return spec;
  } catch (error) {
    if (!(error instanceof SdfpError)) throw error;
    throw new SdfpError(error.code, error.message, { param: field });
  }
}
