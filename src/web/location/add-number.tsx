import { useState } from 'preact/hooks'
import { Button } from '../parts/button.tsx'
import { PhoneField } from '../parts/phone-field.tsx'
import { useWords } from '../words/spoken.tsx'

export interface AddNumberProps {
  create(wish: { expectedPhone?: string }): Promise<void>
}

/** Before the QR: which number it should be, if somebody wants to be sure. */
export function AddNumber({ create }: AddNumberProps) {
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
