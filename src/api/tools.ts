import * as v from 'valibot';
import { boolean, type Field, needs, optional, plainText } from './fields.ts';
import { type JsonSchemaBody, JsonSchemaSchema, NameSchema } from './response-format.ts';

/** A function that the model may call, as on the wire. Chat templates get it as it came. */
export interface ToolBody {
  type: 'function';
  function: {
    name: string;
    description?: string | null | undefined;
    parameters?: JsonSchemaBody | null | undefined;
    strict?: boolean | null | undefined;
  };
}

export type ToolChoiceBody = 'none' | 'auto' | 'required' | { type: 'function'; function: { name: string } };

/** A call in a message of the assistant. */
export interface ToolCallBody {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

/** Which calls an answer may have. */
export interface ToolUse {
  /** Empty: none. */
  readonly tools: readonly ToolBody[];
  /** `auto`: as the model likes; `required`: the answer is a call. */
  readonly mode: 'auto' | 'required';
}

const tool: v.GenericSchema<ToolBody> = v.object(
  {
    type: v.literal('function', needs('tools of type "function"; nothing else is supported')),
    function: v.object(
      {
        name: NameSchema,
        description: optional(plainText()),
        parameters: optional(JsonSchemaSchema),
        strict: boolean('A required call always follows the parameters, whatever this says.'),
      },
      needs('an object {name, parameters}'),
    ),
  },
  needs('an object {type: "function", function}'),
);

/** Field `tools`. */
export const ToolsSchema: Field<ToolBody[]> = optional(
  v.pipe(
    v.array(tool, needs('a list of tools')),
    v.maxLength(128, needs('at most 128 tools')),
    v.description("Functions that the model may call; shown to it by the model's chat template."),
  ),
);

/** Field `tool_choice`. */
export const ToolChoiceSchema: Field<ToolChoiceBody> = optional(
  v.pipe(
    v.union(
      [
        v.picklist(['none', 'auto', 'required']),
        v.object({ type: v.literal('function'), function: v.object({ name: v.string() }) }),
      ],
      needs('"none", "auto", "required" or {type: "function", function: {name}}'),
    ),
    v.description(
      '`required` and a named function give exactly one valid call, by constrained decoding. Default: `auto` with tools.',
    ),
  ),
);

/** Field `tool_calls` of a message. */
export const ToolCallsSchema: Field<ToolCallBody[]> = optional(
  v.array(
    v.object(
      {
        id: plainText(),
        type: v.literal('function', needs('"function"')),
        function: v.object(
          { name: plainText(), arguments: plainText() },
          needs('an object {name, arguments}'),
        ),
      },
      needs('an object {id, type, function}'),
    ),
    needs('a list of calls'),
  ),
);

interface ToolFields {
  readonly tools?: ToolBody[] | undefined;
  readonly tool_choice?: ToolChoiceBody | undefined;
}

/** Why the choice does not fit the tools; undefined if it does. */
export function checkToolChoice({ tools = [], tool_choice }: ToolFields): string | undefined {
  if (tool_choice === undefined || tool_choice === 'none' || tool_choice === 'auto') return undefined;
  if (tools.length === 0) return 'is given without `tools`, needs both';
  if (tool_choice === 'required' || tools.some((each) => each.function.name === tool_choice.function.name)) {
    return undefined;
  }
  return `names ${JSON.stringify(tool_choice.function.name)}, needs the name of one of the \`tools\``;
}

export function toToolUse({ tools = [], tool_choice = 'auto' }: ToolFields): ToolUse {
  if (tool_choice === 'none') return { tools: [], mode: 'auto' };
  if (tool_choice === 'auto' || tool_choice === 'required') return { tools, mode: tool_choice };
  return {
    tools: tools.filter((each) => each.function.name === tool_choice.function.name),
    mode: 'required',
  };
}
