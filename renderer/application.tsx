import { MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { queries } from './client.ts'
import { IconSprite } from './components/icon.tsx'
import { router } from './router.tsx'
import { SessionGate } from './session/session-gate.tsx'
import { resolveCssVariables, theme } from './theme.ts'

/** Everything a window shows. */
export function Application() {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={resolveCssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <IconSprite />
        <SessionGate>
          <RouterProvider router={router} />
        </SessionGate>
      </QueryClientProvider>
    </MantineProvider>
  )
}
