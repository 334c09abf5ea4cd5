import { posix } from 'node:path';
import ts from 'typescript';

/** One import of a source file, wherever it stands: `import`, `export … from`, `import()`, `import('…').T` in a type. */
export interface Import {
  readonly line: number;
  readonly specifier: string;
  /** Gone after compilation. */
  readonly typeOnly: boolean;
}

export function importsOf(path: string, text: string): Import[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean): void => {
    const line = file.getLineAndCharacterOfPosition((specifier ?? file).getStart(file)).line + 1;
    // a path that is computed cannot be checked: it is shown as it is written, and matches no rule that allows it
    const name = specifier !== undefined && ts.isStringLiteralLike(specifier) ? specifier.text : (specifier?.getText(file) ?? '');
    found.push({ line, specifier: name, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeImport(node.importClause));
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) add(node.moduleSpecifier, isTypeExport(node));
    else if (ts.isImportTypeNode(node)) add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function isTypeImport(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false; // for its side effects
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const named = clause.namedBindings;
  if (clause.name !== undefined || named === undefined || !ts.isNamedImports(named)) return false;
  return named.elements.length > 0 && named.elements.every(({ isTypeOnly }) => isTypeOnly);
}

function isTypeExport({ isTypeOnly, exportClause }: ts.ExportDeclaration): boolean {
  if (isTypeOnly) return true;
  if (exportClause === undefined || !ts.isNamedExports(exportClause)) return false;
  return exportClause.elements.length > 0 && exportClause.elements.every((element) => element.isTypeOnly);
}

/** What a specifier means: a room of src (`errors` for errors.ts), a built-in module of Node, or a package. */
export type Target = { readonly room: string } | { readonly package: string } | { readonly builtin: string };

/** `path` is relative to src, with slashes. */
export function targetOf(path: string, specifier: string): Target {
  if (specifier.startsWith('node:')) return { builtin: specifier };
  if (specifier.startsWith('.')) return { room: roomOf(posix.join(posix.dirname(path), specifier)) };
  const parts = specifier.split('/');
  return { package: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/') };
}

/** The room of a file of src: its first directory, or its own name. */
export const roomOf = (path: string): string => path.split('/')[0]!.replace(/\.[jt]s$/, '');
