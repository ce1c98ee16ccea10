import {
  ActionIcon,
  Button,
  createTheme,
  type CSSVariablesResolver,
  defaultVariantColorsResolver,
  Input,
  InputWrapper,
  Modal,
  NumberInput,
  PasswordInput,
  Popover,
  Select,
  Textarea,
  TextInput,
} from '@mantine/core'

const controlHeight = { sm: '32px', lg: '40px' } as const
const isHeight = (size: unknown): size is keyof typeof controlHeight => size === 'sm' || size === 'lg'

function heightOf(size: unknown): string {
  return isHeight(size) ? controlHeight[size] : controlHeight.sm
}

/** Mantine in the words of `styles/tokens.css`: the values there are the only ones. */
export const theme = createTheme({
  colors: {
    petrol: [
      '#EAF5F8',
      '#CFE8EE',
      '#A6D5E0',
      '#79C2D3',
      '#4FB6CD',
      '#2A92AA',
      '#157A93',
      '#0B6A82',
      '#07566B',
      '#043F50',
    ],
  },
  primaryColor: 'petrol',
  primaryShade: { light: 7, dark: 4 },
  fontFamily: 'var(--font-ui)',
  fontFamilyMonospace: 'var(--font-code)',
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '18px' },
  fontWeights: { regular: '400', medium: '500', bold: '600' },
  headings: {
    fontFamily: 'var(--font-ui)',
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '22px' },
      h2: { fontSize: '18px' },
      h3: { fontSize: '16px' },
      h4: { fontSize: '14px' },
    },
  },
  spacing: { xs: '4px', sm: '8px', md: '12px', lg: '16px', xl: '24px' },
  radius: { xs: '2px', sm: '4px', md: '6px' },
  defaultRadius: 'sm',
  shadows: { xs: 'var(--e-1)', sm: 'var(--e-1)', md: 'var(--e-1)', lg: 'var(--e-1)', xl: 'var(--e-1)' },
  focusRing: 'auto',
  respectReducedMotion: true,
  cursorType: 'default',
  // Mantine picks the text of a filled control from the light shade, which is too pale on the dark one.
  variantColorResolver: (input) => {
    const colors = defaultVariantColorsResolver(input)
    const isPetrol = input.color === undefined || input.color === 'petrol'
    if (input.variant !== 'filled' || !isPetrol) return colors
    return {
      ...colors,
      background: 'var(--accent-fill)',
      hover: 'var(--accent-hover)',
      color: 'var(--accent-on)',
      border: 'none',
    }
  },
  components: {
    Button: Button.extend({
      defaultProps: { size: 'sm' },
      vars: (_theme, props) => ({ root: { '--button-height': heightOf(props.size) } }),
    }),
    ActionIcon: ActionIcon.extend({
      defaultProps: { size: 'sm', variant: 'subtle', color: 'gray' },
      vars: (_theme, props) => ({ root: { '--ai-size': heightOf(props.size) } }),
    }),
    Input: Input.extend({
      defaultProps: { size: 'sm' },
      vars: (_theme, props) => ({ wrapper: { '--input-height': heightOf(props.size) } }),
      classNames: { wrapper: 'field', input: 'field-input' },
    }),
    InputWrapper: InputWrapper.extend({
      classNames: { label: 'field-label', description: 'field-hint', error: 'field-error' },
    }),
    TextInput: TextInput.extend({ defaultProps: { size: 'sm' } }),
    PasswordInput: PasswordInput.extend({ defaultProps: { size: 'sm' } }),
    NumberInput: NumberInput.extend({ defaultProps: { size: 'sm' } }),
    Textarea: Textarea.extend({ defaultProps: { size: 'sm' } }),
    Select: Select.extend({ defaultProps: { size: 'sm' } }),
    Popover: Popover.extend({ defaultProps: { radius: 'sm', transitionProps: { duration: 120 } } }),
    Modal: Modal.extend({
      defaultProps: { radius: 'sm', transitionProps: { duration: 120 } },
      classNames: { title: 'dialog-title' },
    }),
  },
})

const readableColors = {
  '--mantine-color-body': 'var(--surface)',
  '--mantine-color-text': 'var(--text)',
  '--mantine-color-dimmed': 'var(--text-3)',
  '--mantine-color-placeholder': 'var(--text-3)',
  '--mantine-color-default-border': 'var(--line-control)',
  '--mantine-color-error': 'var(--bad-ink)',
  '--mantine-color-anchor': 'var(--accent)',
}

/** Mantine's own defaults for these are too pale to read; it sets some of them again in each colour scheme. */
export const resolveCssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: readableColors,
  dark: readableColors,
})
