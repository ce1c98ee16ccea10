import { join } from 'node:path'
import { ORPCError } from '@orpc/client'
import { resetPasswordAtTerminal } from '../../services/auth/reset-password.ts'
import { type Command, CommandRefused, required } from './command.ts'
import { openDomains } from './domain-access.ts'
import { takeHome } from './home-access.ts'

export const resetPassword: Command = {
  name: 'reset-password',
  parameters: '--email ADDRESS',
  summary: "sets a person's password; it is asked for, or read from the standard input",
  options: ['email'],
  async run(context) {
    const email = required(context, 'email', 'admin@laboratory.org')
    const home = takeHome(context.home)
    try {
      const newPassword = await context.askSecret(`New password for ${email}: `)
      if (newPassword === '') throw new CommandRefused('No password was given.')
      const domains = await openDomains(home, context.root)
      try {
        const { database } = await domains.open('auth')
        const person = await resetPasswordAtTerminal(database, {
          email,
          newPassword,
          workstation: home.workstation,
          resources: join(context.root, 'resources'),
        })
        context.say(`${person.name} (${person.email}) has a new password; their sessions were ended.`)
        return 0
      } catch (error) {
        if (error instanceof ORPCError) throw new CommandRefused(error.message)
        throw error
      } finally {
        await domains.close()
      }
    } finally {
      home.release()
    }
  },
}
