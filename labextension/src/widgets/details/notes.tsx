/** The notes of a task: rendered Markdown that is edited in place. Concurrent changes of others are never overwritten. */

import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import React, { useEffect, useLayoutEffect, useRef, useState } from 'react';

import type { INotes, TaskAbout } from '../../services/about';
import { TaskError } from '../../services/api';

interface INotesProps {
  about: TaskAbout;
  /** The ETag of the notes, which changes with them. */
  tag: string | null;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
}

export function Notes({ about, tag, rendermime, trans }: INotesProps): JSX.Element {
  const [notes, setNotes] = useState<INotes | null>(null);
  const [draft, setDraft] = useState<INotes | null>(null);
  const [problem, setProblem] = useState('');
  const [isBusy, setIsBusy] = useState(false);

  useEffect(() => {
    let isCurrent = true;
    about.notes().then(
      found => isCurrent && setNotes(found),
      error => isCurrent && setProblem(`${error.message}`)
    );
    return () => {
      isCurrent = false;
    };
  }, [about, tag]);

  const save = async (what: INotes): Promise<void> => {
    setIsBusy(true);
    try {
      setNotes({ text: what.text, tag: await about.write(what) });
      setDraft(null);
      setProblem('');
    } catch (error) {
      const isLate = error instanceof TaskError && error.code === 'notes_changed';
      if (isLate) {
        // The other text is shown above the field; saving again replaces it.
        const theirs = await about.notes().catch(() => null);
        setNotes(theirs ?? notes);
        setDraft({ text: what.text, tag: theirs?.tag ?? what.tag });
      }
      setProblem(
        isLate
          ? trans.__(
              'The notes were changed by someone else. Their text is shown above yours; “Save” replaces it.'
            )
          : error instanceof Error
            ? error.message
            : `${error}`
      );
    } finally {
      setIsBusy(false);
    }
  };

  return (
    <div className="jp-PtyTasks-details-notes">
      {problem && (
        <p role="alert" className="jp-PtyTasks-refused">
          {problem}
        </p>
      )}
      {notes && (notes.text || !draft) && (!draft || problem) && (
        <Markdown text={notes.text} rendermime={rendermime} trans={trans} />
      )}
      {draft ? (
        <form
          onSubmit={event => {
            event.preventDefault();
            void save(draft);
          }}
        >
          <textarea
            className="jp-mod-styled"
            aria-label={trans.__('Notes (Markdown)')}
            value={draft.text}
            rows={Math.min(20, Math.max(4, draft.text.split('\n').length + 1))}
            autoFocus
            onChange={event => setDraft({ ...draft, text: event.target.value })}
            onKeyDown={event => {
              if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
                event.preventDefault();
                void save(draft);
              }
            }}
          />
          <div className="jp-PtyTasks-details-buttons">
            <button type="submit" className="jp-mod-styled jp-mod-accept" disabled={isBusy}>
              {trans.__('Save')}
            </button>
            <button
              type="button"
              className="jp-mod-styled jp-mod-reject"
              onClick={() => {
                setDraft(null);
                setProblem('');
              }}
            >
              {trans.__('Cancel')}
            </button>
          </div>
        </form>
      ) : (
        notes && (
          <button
            type="button"
            className="jp-mod-styled jp-mod-reject"
            onClick={() => setDraft(notes)}
          >
            {notes.text ? trans.__('Edit Notes') : trans.__('Add Notes')}
          </button>
        )
      )}
    </div>
  );
}

interface IMarkdownProps {
  text: string;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
}

/** Markdown as rendered by JupyterLab. It is not trusted, and therefore sanitized. */
function Markdown({ text, rendermime, trans }: IMarkdownProps): JSX.Element {
  const ref = useRef<HTMLDivElement>(null);
  // A widget must be disposed of while its node is in the document: cleanup functions of `useEffect` run too late.
  useLayoutEffect(() => {
    if (!ref.current || !text) {
      return;
    }
    const renderer = rendermime.createRenderer('text/markdown');
    Widget.attach(renderer, ref.current);
    const model = rendermime.createModel({ data: { 'text/markdown': text }, trusted: false });
    void renderer.renderModel(model);
    return () => renderer.dispose();
  }, [text, rendermime]);
  return text ? (
    <div ref={ref} />
  ) : (
    <p className="jp-PtyTasks-details-none">{trans.__('No notes.')}</p>
  );
}
