// Binaryen tree: the wrappers that binaryen.js has at run time for changing an expression in place, which its type
// declarations leave out.
//
// Owner: nobody; there is no state here. Only what pausable.ts needs is declared.

import binaryen from "binaryen";

type Expression = binaryen.ExpressionRef;

interface Wrappers {
  readonly Block: {
    getNumChildren(block: Expression): number;
    getChildAt(block: Expression, index: number): Expression;
    setChildAt(block: Expression, index: number, child: Expression): void;
  };
  readonly If: {
    getIfTrue(branch: Expression): Expression;
    setIfTrue(branch: Expression, arm: Expression): void;
    /** 0 where there is no other arm. */
    getIfFalse(branch: Expression): Expression;
    setIfFalse(branch: Expression, arm: Expression): void;
  };
  readonly Loop: {
    getBody(loop: Expression): Expression;
    setBody(loop: Expression, body: Expression): void;
  };
  readonly Function: {
    getBody(func: binaryen.FunctionRef): Expression;
    setBody(func: binaryen.FunctionRef, body: Expression): void;
  };
  readonly LocalSet: { setValue(set: Expression, value: Expression): void };
  readonly Drop: { setValue(drop: Expression, value: Expression): void };
}

const wrappers = binaryen as unknown as Wrappers;

export const Block = wrappers.Block;
export const If = wrappers.If;
export const Loop = wrappers.Loop;
export const Function = wrappers.Function;
export const LocalSet = wrappers.LocalSet;
export const Drop = wrappers.Drop;
