import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { useWords } from '../words/spoken.tsx'
import { Button } from './button.tsx'

/** The browser's own dialog: it keeps the keyboard inside, closes with Escape and gives the focus back. */
export function Dialog({
  title,
  close,
  loses,
  children,
}: {
  title: string
  close(): void
  /** What would be lost: said first, and closed when the reader wants it all the same. */
  loses?: string | undefined
  children: ComponentChildren
}) {
  const { say } = useWords()
  const id = useId()
  const dialog = useRef<HTMLDialogElement>(null)
  const [isAsked, setAsked] = useState(false)
  const leave = () => {
    if (loses === undefined) dialog.current?.close()
    else setAsked(true)
  }
  useEffect(() => {
    const opener = document.activeElement
    dialog.current?.showModal()
    return () => {
      // Taken off the page while it is open, it gives the focus back to nobody; what is behind it can take it once it is gone.
      queueMicrotask(() => {
        if (document.activeElement === document.body && opener instanceof HTMLElement) opener.focus()
      })
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onClose={close}
      onCancel={(event) => {
        event.preventDefault()
        leave()
      }}
    >
      <header class="head">
        <h2 id={id}>{title}</h2>
        <button type="button" class="quiet" onClick={leave}>
          {say('close')}
        </button>
      </header>
      {isAsked && loses !== undefined && (
        <div class="problem" role="alert">
          <p>{loses}</p>
          <Button kind="danger" act={async () => dialog.current?.close()}>
            {say('close.anyway')}
          </Button>
        </div>
      )}
      {children}
    </dialog>
  )
}
