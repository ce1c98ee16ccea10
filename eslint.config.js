import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

const defaultExport = {
  selector: 'ExportDefaultDeclaration',
  message: 'Name what you export: a name can be searched for.',
}
const disabledTest = {
  selector: 'MemberExpression[object.name=/^(it|test|describe)$/][property.name=/^(only|skip|todo|fixme)$/]',
  message: 'A test runs, or it goes. Where it needs a folder or a platform, say so with runIf.',
}
const otherExtension = {
  selector:
    ':matches(ImportDeclaration, ExportNamedDeclaration, ExportAllDeclaration)[source.value=/^\\..*\\.js$/]',
  message: 'Import the file that is there: Node runs the .ts itself.',
}
const wholeModule = {
  selector: 'ExportAllDeclaration',
  message: 'No barrels: import from the file that has it.',
}
const hiddenInput = [
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: 'The time is an argument of a rule.',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'The time is an argument of a rule.',
  },
  {
    selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
    message: 'Chance is an argument of a rule.',
  },
  {
    selector: "CallExpression[callee.object.name='crypto']",
    message: 'An id is an argument of a rule.',
  },
]
const houseSyntax = [defaultExport, disabledTest, otherExtension, wholeModule]

const electronOnlyThere = {
  paths: [{ name: 'electron', message: 'Only main/electron may: everything else runs on plain Node too.' }],
}

/** What eslint itself can see without types; typescript-eslint covers the rest. */
const soundJavaScript = {
  eqeqeq: ['error', 'always', { null: 'ignore' }],
  'no-async-promise-executor': 'error',
  'no-case-declarations': 'error',
  'no-cond-assign': 'error',
  'no-constant-binary-expression': 'error',
  'no-control-regex': 'off',
  'no-dupe-else-if': 'error',
  'no-duplicate-case': 'error',
  'no-empty': 'error',
  'no-empty-character-class': 'error',
  'no-fallthrough': 'error',
  'no-irregular-whitespace': 'error',
  'no-loss-of-precision': 'error',
  'no-misleading-character-class': 'error',
  'no-self-assign': 'error',
  'no-self-compare': 'error',
  'no-sparse-arrays': 'error',
  'no-template-curly-in-string': 'error',
  'no-unmodified-loop-condition': 'error',
  'no-unreachable-loop': 'error',
  'no-unsafe-finally': 'error',
  'no-unsafe-optional-chaining': 'error',
  'no-unused-labels': 'error',
  'no-useless-catch': 'error',
  'no-useless-escape': 'error',
  'no-var': 'error',
  'object-shorthand': 'error',
  'prefer-const': 'error',
  'require-yield': 'error',
}

export default defineConfig(
  globalIgnores([
    'out/',
    'dist/',
    'build/',
    '.cache/',
    'drizzle/',
    'demo-report/',
    'test-results/',
    'coverage/',
  ]),
  {
    // A rule that does not fit is changed here, where it can be argued with, and not switched off in place.
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' },
    rules: soundJavaScript,
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: false, allowAny: false, allowNullish: false },
      ],
      // Spreading a string gives its code points, which is what we mean when we do it.
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      // `for (;;)` and `while (true)` say openly that they end from inside.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // Handlers are async by contract, whether or not this one has something to wait for.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { ignoreRestSiblings: true, argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      // A type parameter used once often carries the one thing inference needs here.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      'no-console': 'error',
      'no-restricted-imports': ['error', electronOnlyThere],
      'no-restricted-syntax': ['error', ...houseSyntax],
    },
  },
  {
    files: ['main/**/*.ts', 'platform/**/*.ts', 'services/**/*.ts', 'hub/**/*.ts'],
    ignores: ['main/electron/preload.ts'],
    rules: {
      // One tsconfig serves Node and the browser, so the compiler knows these names everywhere.
      'no-restricted-globals': [
        'error',
        'window',
        'document',
        'localStorage',
        'sessionStorage',
        'navigator',
        'self',
      ],
    },
  },
  {
    files: ['services/*/domain/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: { 'no-restricted-syntax': ['error', ...houseSyntax, ...hiddenInput] },
  },
  {
    files: ['main/electron/**/*.ts', 'e2e/**/*.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    // Programs for a terminal speak on it.
    files: ['tools/**', 'benchmarks/**', 'main/headless/**/*.ts', 'hub/index.ts'],
    rules: { 'no-console': 'off', 'no-template-curly-in-string': 'off' },
  },
  {
    files: ['renderer/**/*.{ts,tsx}'],
    rules: {
      // TanStack Router redirects by throwing what `redirect()` returns.
      '@typescript-eslint/only-throw-error': 'off',
    },
  },
  {
    files: ['**/*.test.ts', '**/*.test.tsx', 'e2e/**/*.ts'],
    rules: {
      // `expect(object.method).toHaveBeenCalled()` names a method without calling it.
      '@typescript-eslint/unbound-method': 'off',
      // `expect.any(Date)` stands for a value inside an expected whole.
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    files: ['*.config.ts'],
    rules: { 'no-restricted-syntax': ['error', disabledTest, otherExtension, wholeModule] },
  },
)
