import type { TextCodec } from '../text/types.ts';

/** A kind of request, with prompts that any English model can answer after its fashion. */
export interface Workload {
  readonly name: string;
  /** `chat` prompts go through the chat template where the model has one. */
  readonly form: 'chat' | 'text';
  readonly prompts: readonly string[];
}

const HEN =
  'The little red hen found a grain of wheat. She asked the dog, the cat and the duck to help her plant it. ' +
  'They all said no, so she planted it herself. ';

/** Workloads of `sdfp bench`: they differ in how predictable their text is. */
export const WORKLOADS: readonly Workload[] = [
  {
    name: 'story-chat',
    form: 'chat',
    prompts: [
      'Tell me a story about a dog and a ball.',
      'Tell me a story about a brave little mouse who lives in a library.',
      'Tell me a story about two sisters and a snowy day.',
    ],
  },
  {
    name: 'continuation',
    form: 'text',
    prompts: [
      'Once upon a time, there was a small boat on a big blue lake. Every morning the boat',
      'Tom and Mia went to the park with their mom. They saw a big tree with red apples. Tom said,',
      'The old fox walked through the forest at night. He was hungry and tired, and then he heard',
    ],
  },
  {
    name: 'list',
    form: 'text',
    prompts: [
      'Things in the toy box:\n- a red ball\n- a blue car\n- a green frog\n- a yellow duck\n-',
      'Animals on the farm: the cow says moo, the dog says woof, the cat says meow, the duck says quack, the',
      'Monday: play in the park.\nTuesday: read a book.\nWednesday: bake a cake.\nThursday:',
    ],
  },
  {
    name: 'copying',
    form: 'text',
    prompts: [
      `${HEN}${HEN}${HEN}The little red hen found`,
      'red, blue, green, yellow. red, blue, green, yellow. red, blue, green, yellow. red, blue,',
      'One day, Sam saw a bird. "Hello, bird!" said Sam. One day, Sam saw a bird. "Hello, bird!" said Sam. One day, Sam',
    ],
  },
  {
    name: 'editing',
    form: 'text',
    prompts: [
      `${HEN}\nThe same story with a goat in place of the hen:\nThe little red goat found`,
      'Lily had a red ball. She kicked the red ball to Ben. Now the ball is green: Lily had a green ball. She kicked',
      'Tom eats an apple. Tom is happy. Tom goes home. The same about Mia: Mia eats an apple.',
    ],
  },
  {
    name: 'code-like',
    form: 'text',
    prompts: [
      'name: Lily, age: 5, pet: cat\nname: Ben, age: 6, pet: dog\nname: Max, age: 4, pet: fish\nname:',
      'if (sunny) { go(park); } if (rainy) { stay(home); } if (snowy) {',
      '<story><title>The Lost Kitten</title><page>1</page><text>Once upon a time',
    ],
  },
];

/** Prompt ids of a workload's prompts for a model. */
export function encodeWorkload(workload: Workload, text: TextCodec): number[][] {
  return workload.prompts.map((prompt) => {
    if (workload.form === 'text' || !text.hasChatTemplate) return text.encode(prompt);
    const rendered = text.renderChat([{ role: 'user', content: prompt }], { addGenerationPrompt: true });
    return text.encode(rendered, { addSpecialTokens: false });
  });
}
