import { useState } from 'preact/hooks'
import { Button } from '../parts/button.tsx'
import { useOnPhone } from '../parts/on-phone.ts'
import { AskCode } from '../parts/pairing.tsx'
import { PhoneField } from '../parts/phone-field.tsx'
import { useWords } from '../words/spoken.tsx'

export interface AddNumberProps {
  /** E.164: the only number that is let in, and the one that gets a code to type instead of a QR. */
  create(wish: { expectedPhone?: string; phoneNumber?: string }): Promise<void>
}

export function AddNumber({ create }: AddNumberProps) {
  const { say } = useWords()
  const isOnPhone = useOnPhone()
  if (!isOnPhone) return <ToScan create={create} />
  return (
    <>
      <h3>{say('pair.title.here')}</h3>
      <p>{say('pair.here.why')}</p>
      <AskCode get={(phone) => create({ expectedPhone: phone, phoneNumber: phone })} fixed={undefined} />
      <details class="aside">
        <summary>{say('pair.otherPhone')}</summary>
        <ToScan create={create} />
      </details>
    </>
  )
}

/** Before the QR: which number it should be, if somebody wants to be sure. */
function ToScan({ create }: AddNumberProps) {
  const { say } = useWords()
  const [phone, setPhone] = useState<string | undefined>('')
  const [isWrong, setWrong] = useState(false)
  const start = async (): Promise<void> => {
    setWrong(phone === undefined)
    if (phone !== undefined) await create(phone === '' ? {} : { expectedPhone: phone })
  }
  return (
    <>
      <p>{say('add.explain')}</p>
      <PhoneField
        label={say('add.phone')}
        isWrong={isWrong}
        onPhone={(next) => {
          setPhone(next)
          setWrong(false)
        }}
      />
      <p class="muted small">{say('add.phone.why')}</p>
      <Button act={start}>{say('add.start')}</Button>
    </>
  )
}
