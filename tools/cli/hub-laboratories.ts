import { Laboratories, Laboratory, SigningKey } from '../../hub/contract.ts'
import { EnrolmentCode } from '../../platform/sync/contract.ts'
import { type Command, CommandRefused, required } from './command.ts'
import { askHub } from './hub-access.ts'

export const addLaboratory: Command = {
  name: 'add-laboratory',
  parameters: '--name NAME --administrator NAME --email ADDRESS [--url URL]',
  summary: 'adds a laboratory to a running Hub; the password of its first administrator is asked for',
  options: ['name', 'administrator', 'email', 'url'],
  async run(context) {
    const laboratoryName = required(context, 'name', '"Sequencing Core B07"')
    const name = required(context, 'administrator', '"Ada Rivera"')
    const email = required(context, 'email', 'admin@laboratory.org')
    const password = await context.askSecret(`Password for ${email}: `)
    if (password === '') throw new CommandRefused('No password was given.')
    const made = await askHub(
      context,
      {
        method: 'POST',
        path: '/v1/hub/laboratories',
        body: { laboratoryName, administrator: { name, email, password } },
      },
      Laboratory,
    )
    context.say(`${made.name} is there (${made.id}); ${name} signs in with ${email} and adds its people.`)
    return 0
  },
}

export const founderCode: Command = {
  name: 'founder-code',
  parameters: '[--url URL]',
  summary: 'makes a code with which one workstation brings a laboratory of its own to a running Hub',
  options: ['url'],
  async run(context) {
    const asked = { method: 'POST', path: '/v1/hub/founder-codes', body: {} } as const
    const { code, expiresAt } = await askHub(context, asked, EnrolmentCode)
    context.say(`${code}\nIt is shown this once, lets in one workstation, and is good until ${expiresAt}.`)
    return 0
  },
}

export const laboratories: Command = {
  name: 'laboratories',
  parameters: '[--url URL]',
  summary: 'lists the laboratories of a running Hub',
  options: ['url'],
  async run(context) {
    const found = await askHub(context, { method: 'GET', path: '/v1/hub/laboratories' }, Laboratories)
    for (const { id, name, createdAt } of found) context.say(`${id}  ${createdAt}  ${name}`)
    return 0
  },
}

export const rotateSigningKey: Command = {
  name: 'rotate-signing-key',
  parameters: '[--url URL]',
  summary: 'lets a running Hub sign sessions with a new key; nobody is signed out',
  options: ['url'],
  async run(context) {
    const { kid } = await askHub(
      context,
      { method: 'POST', path: '/v1/hub/rotate-signing-key', body: {} },
      SigningKey,
    )
    context.say(`Sessions are signed with the key ${kid} from now on.`)
    return 0
  },
}
