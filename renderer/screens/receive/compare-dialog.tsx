import { Modal } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Notice } from '../../components/notice.tsx'
import { problemWords } from '../../problem.ts'
import { cellText, isOpen, type SheetColumn } from './sheet-columns.ts'
import { readNumberedRows } from './sheet-reading.ts'

interface CompareDialogProps {
  readonly id: string
  readonly rows: readonly number[]
  readonly columns: readonly SheetColumn[]
  readonly onGo: (row: number) => void
  readonly onLeaveOut: (row: number) => void
  readonly onClose: () => void
}

const mostRows = 6

/** Rows side by side, with what differs between them marked. */
export function CompareDialog({ id, rows, columns, onGo, onLeaveOut, onClose }: CompareDialogProps) {
  const { t } = useTranslation(['receive', 'common'])
  const wanted = rows.slice(0, mostRows)
  const read = useQuery({
    queryKey: ['receive', 'compare', id, wanted],
    queryFn: () => readNumberedRows(id, wanted),
  })
  const found = read.data ?? []
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('compare.title', { rows: wanted.join(', ') })}
      size="auto"
      centered
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      {read.isError && <Notice tone="bad">{problemWords(read.error)}</Notice>}
      {read.isPending && <p role="status">{t('reading')}</p>}
      {found.length > 0 && (
        <div className="rcv-compare" tabIndex={0} role="region" aria-label={t('compare.region')}>
          <table className="tb">
            <thead>
              <tr>
                <th>{t('compare.field')}</th>
                {found.map(({ row }) => (
                  <th key={row}>{t('pop.row', { row })}</th>
                ))}
                <th>
                  <span className="vh">{t('compare.comparison')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {columns
                .filter((column) => found.some((row) => cellText(row, column) !== ''))
                .map((column) => {
                  const values = found.map((row) => cellText(row, column))
                  const differs = new Set(values).size > 1
                  return (
                    <tr key={column.key} className={differs ? 'differs' : ''}>
                      <td className="t2">{column.heading}</td>
                      {values.map((value, index) => (
                        <td key={index} className={column.look === 'code' ? 'code' : ''}>
                          {value}
                        </td>
                      ))}
                      <td className="sm t3">{t(differs ? 'compare.differs' : 'compare.same')}</td>
                    </tr>
                  )
                })}
              <tr>
                <td />
                {found.map((row) => (
                  <td key={row.row}>
                    <span className="rcv-compare-acts">
                      <button type="button" className="btn btn-sm" onClick={() => onGo(row.row)}>
                        {t('compare.go')}
                      </button>
                      {isOpen(row) && (
                        <button type="button" className="btn btn-sm" onClick={() => onLeaveOut(row.row)}>
                          {t('compare.leaveOut')}
                        </button>
                      )}
                    </span>
                  </td>
                ))}
                <td />
              </tr>
            </tbody>
          </table>
          {rows.length > mostRows && (
            <p className="sm t3">{t('compare.more', { count: rows.length - mostRows })}</p>
          )}
        </div>
      )}
    </Modal>
  )
}
