import { Autocomplete, Modal, NumberInput, Select, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { DeviceStatus } from '../../../main/devices/contract.ts'
import { api, client } from '../../client.ts'
import { DialogFoot } from '../../components/dialog-foot.tsx'
import { problemWords } from '../../problem.ts'

type Settings = Parameters<typeof client.devices.saveScanner>[0]

interface ScannerDialogProps {
  /** Null adds a new one. */
  readonly device: DeviceStatus | null
  readonly onClose: () => void
}

const speeds = [1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200] as const

/** How one serial scanner is connected. The port can be picked or typed. */
export function ScannerDialog({ device, onClose }: ScannerDialogProps) {
  const { t } = useTranslation(['devices', 'session', 'common'])
  const ports = useQuery(api.devices.ports.queryOptions())
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const form = useForm({
    initialValues: {
      name: device?.name ?? '',
      path: device?.settings.path ?? '',
      baudRate: String(device?.settings.baudRate ?? 9_600),
      dataBits: String(device?.settings.dataBits ?? 8),
      stopBits: String(device?.settings.stopBits ?? 1),
      parity: device?.settings.parity ?? 'none',
      flowControl: device?.settings.flowControl ?? 'none',
      suffix: device?.settings.suffix ?? '',
      idleFlushMs: device?.settings.idleFlushMs ?? 0,
    },
    validate: {
      name: (value) => (value.trim() === '' ? t('session:required') : null),
      path: (value) => (value.trim() === '' ? t('session:required') : null),
    },
  })

  async function save(values: typeof form.values): Promise<void> {
    setBusy(true)
    setProblem(null)
    const settings: Settings = {
      ...device?.settings,
      id: device?.id ?? crypto.randomUUID(),
      name: values.name.trim(),
      path: values.path.trim(),
      baudRate: Number(values.baudRate),
      dataBits: values.dataBits === '7' ? 7 : 8,
      stopBits: values.stopBits === '2' ? 2 : 1,
      parity: values.parity,
      flowControl: values.flowControl,
      suffix: values.suffix,
      idleFlushMs: values.idleFlushMs,
    }
    try {
      await client.devices.saveScanner(settings)
      onClose()
    } catch (error) {
      setProblem(problemWords(error))
      setBusy(false)
    }
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={device === null ? t('add') : device.name}
      centered
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      <form className="dialog-form" onSubmit={form.onSubmit((values) => void save(values))} noValidate>
        <TextInput label={t('name')} data-autofocus maxLength={120} {...form.getInputProps('name')} />
        <Autocomplete
          label={t('path')}
          description={t('pathHint')}
          data={[...new Set(ports.data?.map(({ path }) => path) ?? [])]}
          {...form.getInputProps('path')}
        />
        <div className="pair">
          <Select
            label={t('baudRate')}
            data={speeds.map(String)}
            allowDeselect={false}
            {...form.getInputProps('baudRate')}
          />
          <Select
            label={t('parity')}
            data={(['none', 'even', 'odd'] as const).map((value) => ({
              value,
              label: t(`parities.${value}`),
            }))}
            allowDeselect={false}
            {...form.getInputProps('parity')}
          />
          <Select
            label={t('dataBits')}
            data={['7', '8']}
            allowDeselect={false}
            {...form.getInputProps('dataBits')}
          />
          <Select
            label={t('stopBits')}
            data={['1', '2']}
            allowDeselect={false}
            {...form.getInputProps('stopBits')}
          />
          <Select
            label={t('flowControl')}
            data={(['none', 'rts-cts', 'xon-xoff'] as const).map((value) => ({
              value,
              label: t(`flowControls.${value}`),
            }))}
            allowDeselect={false}
            {...form.getInputProps('flowControl')}
          />
          <TextInput label={t('suffix')} maxLength={8} {...form.getInputProps('suffix')} />
        </div>
        <NumberInput
          label={t('idleFlushMs')}
          description={t('idleFlushHint')}
          min={0}
          max={5_000}
          allowDecimal={false}
          {...form.getInputProps('idleFlushMs')}
        />
        <DialogFoot problem={problem} actLabel={t('common:save')} disabled={busy} onClose={onClose} />
      </form>
    </Modal>
  )
}
