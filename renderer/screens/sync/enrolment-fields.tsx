import { TextInput } from '@mantine/core'
import { type SyntheticEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Notice } from '../../components/notice.tsx'
import { problemWords } from '../../problem.ts'

/** A code has so many characters, the last of which checks the others; the groups are for the eye. */
const codeLength = 35

interface EnrolmentFieldsProps {
  readonly submitLabel: string
  readonly onSubmit: (given: { readonly hubUrl: string; readonly code: string }) => Promise<void>
}

/** Where the Hub is and the code that lets this workstation in. */
export function EnrolmentFields({ submitLabel, onSubmit }: EnrolmentFieldsProps) {
  const { t } = useTranslation('sync')
  const [hubUrl, setHubUrl] = useState('')
  const [code, setCode] = useState('')
  const [isLeft, setIsLeft] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const typed = code.replaceAll(/[\s_–-]/g, '').length
  const isRightLength = typed === codeLength
  const isAddress = /^https?:\/\/\S+$/.test(hubUrl.trim())

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setProblem(null)
    try {
      await onSubmit({ hubUrl: hubUrl.trim(), code: code.trim() })
    } catch (error) {
      setProblem(problemWords(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <form className="dialog-form" onSubmit={(event) => void submit(event)} noValidate>
      <TextInput
        label={t('enrol.address')}
        description={t('enrol.addressHint')}
        placeholder="https://"
        value={hubUrl}
        maxLength={500}
        autoComplete="off"
        spellCheck={false}
        error={hubUrl !== '' && isLeft && !isAddress ? t('enrol.addressWrong') : null}
        onBlur={() => setIsLeft(true)}
        onChange={(event) => setHubUrl(event.currentTarget.value)}
      />
      <TextInput
        label={t('enrol.code')}
        description={t('enrol.codeHint')}
        value={code}
        maxLength={100}
        autoComplete="off"
        spellCheck={false}
        className="enrol-code"
        error={typed > codeLength ? t('enrol.codeLong', { shown: typed, count: codeLength }) : null}
        onChange={(event) => setCode(event.currentTarget.value)}
      />
      <p className="sm t2" aria-live="polite">
        {isRightLength ? t('enrol.codeWhole') : t('enrol.codePart', { shown: typed, count: codeLength })}
      </p>
      {problem !== null && (
        <Notice tone="bad" boxed>
          {problem}
        </Notice>
      )}
      {busy && (
        <p className="md" role="status">
          {t('enrol.busy')}
        </p>
      )}
      <div>
        <button className="btn btn-1 btn-lg" type="submit" disabled={busy || !isRightLength || !isAddress}>
          {submitLabel}
        </button>
      </div>
    </form>
  )
}
