/** The whole output of a task, over its terminal: all stored lines, with numbers, times and a search. */

import type { TranslationBundle } from '@jupyterlab/translation';
import {
  Button,
  caretDownIcon,
  closeIcon,
  ReactWidget,
  ToolbarButtonComponent
} from '@jupyterlab/ui-components';
import { useVirtualizer } from '@tanstack/react-virtual';
import React, {
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState
} from 'react';

import type { TaskApi } from '../../services/api';
import { OutputSearch, type IHit, type IWanted } from '../../services/outputsearch';
import { OutputWindow, type ILine } from '../../services/outputwindow';
import { useSignalValue } from '../../services/watchedvalue';
import { Marked } from '../marked';
import { SearchField } from './search';

/** The height of a line in pixels; the same as in style/whole.css. */
const HEIGHT = 18;

/** Extra lines that are drawn beyond the visible ones, and the distance from an end, in lines, at which more are requested. */
const OVERSCAN = 20;
const NEAR = 50;

/** What to show first; the end if nothing is given. */
export interface IPlaceInOutput {
  /** The number of a line. */
  line?: number;
  /** Whether to focus the search field. */
  search?: boolean;
  /** What to search for, from `line` on. */
  find?: IWanted;
}

interface IWholeProps extends IPlaceInOutput {
  /** The id of the task. */
  id: string;
  output: OutputWindow;
  /** The search in it. */
  finder: OutputSearch;
  onClose: () => void;
  trans: TranslationBundle;
}

/** The view; `line` is shown whenever it changes. */
export function Whole(props: IWholeProps): JSX.Element {
  const { id, output, finder, line, search, find, onClose, trans } = props;
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [current, setCurrent] = useState<number | null>(null);
  const [problem, setProblem] = useState('');
  const hits = useSignalValue(finder.changed, () => finder.found)[0]?.hits;
  const refusal = useSignalValue(finder.changed, () => finder.error)?.reason;
  const scrolled = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const wanted = useRef<number | 'start' | 'end' | null>(null);
  const { lines, discarded } = output;
  const above = discarded > 0 ? HEIGHT : 0;
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scrolled.current,
    estimateSize: () => HEIGHT,
    paddingStart: above,
    getItemKey: at => `${lines[at].number}:${at - lines.length}`,
    overscan: OVERSCAN
  });

  const found = useMemo(() => new Map(hits?.map((hit: IHit) => [hit.line, hit] as const)), [hits]);

  const attempt = useCallback(async (what: () => Promise<void>) => {
    try {
      await what();
      setProblem('');
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  }, []);

  const go = useCallback(
    (to: number | 'start' | 'end') =>
      attempt(async () => {
        await (to === 'end' ? output.toEnd() : output.to(to === 'start' ? 0 : to));
        wanted.current = to;
        setCurrent(typeof to === 'number' ? to : null);
        redraw();
      }),
    [attempt, output]
  );

  const show = useCallback((number: number) => void go(number), [go]);

  useEffect(() => {
    output.changed.connect(redraw);
    return () => void output.changed.disconnect(redraw);
  }, [output]);
  useEffect(() => {
    void go(line ?? 'end');
    (search ? field.current : scrolled.current)?.focus();
  }, [go, line, search]);

  // Keep the scroll position when lines are added before the others.
  const before = useRef<{ first?: ILine; height: number }>({ height: 0 });
  useLayoutEffect(() => {
    const { first, height } = before.current;
    const at = first && first !== lines[0] ? lines.indexOf(first) : -1;
    if (at > 0 && scrolled.current) {
      scrolled.current.scrollTop += above + lines.length * HEIGHT - height;
    }
    before.current = { first: lines[0], height: above + lines.length * HEIGHT };
  }, [lines]);
  useLayoutEffect(() => {
    const to = wanted.current;
    wanted.current = null;
    if (to === 'end') {
      virtualizer.scrollToIndex(lines.length - 1, { align: 'end' });
    } else if (to === 'start') {
      virtualizer.scrollToOffset(0);
    } else if (to !== null) {
      const index = lines.findIndex(({ number }) => number >= to);
      virtualizer.scrollToIndex(Math.max(0, index), { align: 'center' });
    }
  });

  // More lines are requested before they are needed, one page at a time.
  const isLoading = useRef(false);
  const onScroll = () => {
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = scrolled.current ?? {};
    const isNearEnd = scrollHeight - scrollTop - clientHeight < NEAR * HEIGHT;
    const load =
      scrollTop < NEAR * HEIGHT && output.hasEarlier
        ? () => output.earlier()
        : isNearEnd && output.hasLater
          ? () => output.later()
          : null;
    if (load && !isLoading.current) {
      isLoading.current = true;
      void attempt(load).finally(() => (isLoading.current = false));
    }
  };

  const items = virtualizer.getVirtualItems();
  const range = virtualizer.range;
  const isAtEnd = !output.hasLater && (range?.endIndex ?? 0) >= lines.length - 1;
  const first = lines[range?.startIndex ?? 0]?.number ?? 0;
  const digits = `${output.total}`.length;
  return (
    <>
      <div className="jp-PtyTasks-whole-bar" role="toolbar" aria-label={trans.__('Whole output')}>
        <SearchField
          fieldRef={field}
          search={finder}
          id={id}
          wanted={find}
          line={line}
          current={current ?? (isAtEnd ? 0 : first)}
          isLive={output.isLive}
          onShow={show}
          trans={trans}
        />
        <Button
          small
          minimal
          title={trans.__('Show the first line that looks like an error')}
          onClick={() =>
            void attempt(async () => {
              const number = await output.firstError();
              if (number === null) {
                throw new Error(trans.__('No line looks like an error.'));
              }
              await go(number);
            })
          }
        >
          {trans.__('First Error')}
        </Button>
        <span className="jp-PtyTasks-whole-where" role="status">
          {refusal ||
            problem ||
            trans.__('Line %1 of %2', first.toLocaleString(), output.total.toLocaleString())}
        </span>
        <ToolbarButtonComponent
          icon={closeIcon}
          tooltip={trans.__('Back to the terminal')}
          onClick={onClose}
        />
      </div>
      <div
        className="jp-PtyTasks-whole-lines"
        ref={scrolled}
        role="region"
        aria-label={trans.__('Output')}
        tabIndex={0}
        onScroll={onScroll}
        onKeyDown={event => {
          if (event.key === 'Home' || event.key === 'End') {
            event.preventDefault();
            void go(event.key === 'Home' ? 'start' : 'end');
          }
        }}
      >
        <div style={{ height: virtualizer.getTotalSize(), position: 'relative' }}>
          {above > 0 && (
            <div className="jp-PtyTasks-whole-discarded">
              {trans._n(
                '%2 earlier line is no longer kept.',
                '%2 earlier lines are no longer kept.',
                discarded,
                discarded.toLocaleString()
              )}
            </div>
          )}
          {items.map(item => {
            const { number, text, time } = lines[item.index];
            const hit = found.get(number);
            return (
              <div
                key={item.key}
                className={`jp-PtyTasks-whole-line${number === current ? ' jp-mod-current' : ''}`}
                data-line={number}
                aria-current={number === current || undefined}
                style={{ transform: `translateY(${item.start}px)` }}
                title={time ? new Date(time).toLocaleString() : undefined}
              >
                <span className="jp-PtyTasks-whole-number" style={{ width: `${digits}ch` }}>
                  {number}
                </span>
                <Marked
                  text={hit && hit.start > 0 ? hit.text : text}
                  spans={hit?.spans ?? []}
                  markRef={number === current ? reveal : undefined}
                />
              </div>
            );
          })}
        </div>
      </div>
      {!isAtEnd && lines.length > 0 && (
        <button
          type="button"
          className="jp-PtyTasks-jump"
          onClick={() => {
            // The button is about to disappear, and the focus with it.
            scrolled.current?.focus();
            void go('end');
          }}
        >
          <caretDownIcon.react tag="span" />
          {trans.__('Jump to End')}
        </button>
      )}
    </>
  );
}

/** Scroll horizontally if a match is out of view. */
function reveal(mark: HTMLElement | null): void {
  mark?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

/** The view as a Lumino widget. Escape stops a search, and then closes the view, as its button does. */
export class WholeOutput extends ReactWidget {
  constructor(private readonly _options: WholeOutput.IOptions) {
    super();
    this.addClass('jp-PtyTasks-whole');
    this._output = new OutputWindow(_options.id, _options.api);
    this._finder = new OutputSearch(_options.api);
    this._place = _options.place;
    this.node.addEventListener('keydown', event => {
      // Keep keys that are typed here from the terminal.
      event.stopPropagation();
      if (event.key === 'Escape' && this._finder.state === 'searching') {
        event.preventDefault();
        this._finder.stop();
      } else if (event.key === 'Escape') {
        _options.onClose();
      } else if (event.key === 'f' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.goTo({ search: true });
      }
    });
  }

  override dispose(): void {
    this._finder.dispose();
    super.dispose();
  }

  /** Show another place. */
  goTo(place: IPlaceInOutput): void {
    this._place = place.line === undefined ? { ...this._place, ...place } : place;
    this.update();
    if (place.search) {
      this.node.querySelector<HTMLInputElement>('input[type=search]')?.select();
    }
  }

  protected override render(): JSX.Element {
    const { id, onClose, trans } = this._options;
    const [output, finder] = [this._output, this._finder];
    return (
      <Whole
        {...this._place}
        id={id}
        output={output}
        finder={finder}
        onClose={onClose}
        trans={trans}
      />
    );
  }

  private readonly _output: OutputWindow;
  private readonly _finder: OutputSearch;
  private _place: IPlaceInOutput;
}

export namespace WholeOutput {
  export interface IOptions {
    /** The id of the task. */
    id: string;
    api: Pick<TaskApi, 'lines' | 'search'>;
    place: IPlaceInOutput;
    /** Called to close it. */
    onClose: () => void;
    trans: TranslationBundle;
  }
}
