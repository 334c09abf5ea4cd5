import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const CLOCK = 'below the commands time is passed in: take a Clock';
const NO_NOW = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: CLOCK },
  { selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']", message: CLOCK },
];
const NO_EXIT = { object: 'process', property: 'exit', message: 'set process.exitCode: what is being written must get out first' };
const NO_PRINT = ['stdout', 'stderr'].map((property) => ({ object: 'process', property, message: 'return an outcome, or take a Log' }));
const UNUSED = { ignoreRestSiblings: true, argsIgnorePattern: '^_' };

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', 'fixtures/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.js', '**/*.ts'],
    rules: {
      eqeqeq: 'error',
      'max-lines': ['error', 450],
      'no-constant-binary-expression': 'error',
      'no-dupe-else-if': 'error',
      'no-fallthrough': 'error',
      'no-self-compare': 'error',
      'no-unreachable': 'error',
      'no-unsafe-finally': 'error',
      'no-useless-escape': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: { globals: Object.fromEntries(Object.getOwnPropertyNames(globalThis).map((name) => [name, 'readonly'])) },
    rules: { 'no-undef': 'error', 'no-unused-vars': ['error', UNUSED] },
  },
  { files: ['bin/*.js'], languageOptions: { sourceType: 'commonjs', globals: { __dirname: 'readonly' } } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: 'test/tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', UNUSED],
      '@typescript-eslint/require-await': 'off', // async is how a function says that it never throws at once
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // `instanceof` of a generic class yields `any`s, and Buffer.compare counts as a method
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  // ---- rules of this house
  {
    files: ['src/**'],
    rules: {
      'no-console': 'error',
      'no-control-regex': 'error',
      'no-restricted-imports': 'off',
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { name: '@oclif/core', message: 'loading all of it takes long: @oclif/core/command, /flags, /args' },
        { name: 'node-forge', message: 'loading all of it takes long: node-forge/lib/asn1.js', allowTypeImports: true },
      ],
      'no-restricted-properties': ['error', NO_EXIT, ...NO_PRINT],
      'no-restricted-syntax': ['error', ...NO_NOW],
    },
  },
  { files: ['src/cli/**', 'src/render/style.ts'], rules: { 'no-restricted-properties': ['error', NO_EXIT] } },
  { files: ['src/commands/**', 'src/cli/**', 'src/base/clock.ts'], rules: { 'no-restricted-syntax': 'off' } },
);
