// What forms are made of.

export function Choice<T extends string>(props: {
  label: string;
  options: [T, string][];
  chosen: T;
  choose: (next: T) => void;
  kind?: string;
  barred?: Partial<Record<T, string>>;
}) {
  return (
    <div className={`choice ${props.kind ?? ""}`} role="group" aria-label={props.label}>
      {props.options.map(([value, name]) => (
        <button
          key={value}
          type="button"
          className={value}
          aria-pressed={value === props.chosen}
          disabled={!!props.barred?.[value]}
          title={props.barred?.[value]}
          onClick={() => props.choose(value)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}

export function Field(props: {
  label: string;
  unit: string;
  value: string;
  change: (text: string) => void;
  hint?: string;
  // No more digits than the venue takes.
  places?: number;
}) {
  const read = (text: string): string => {
    const [whole = "", ...rest] = text.replace(",", ".").replace(/[^\d.]/g, "").split(".");
    if (!rest.length || props.places === 0) return whole;
    return `${whole}.${rest.join("").slice(0, props.places)}`;
  };
  return (
    <label className="field">
      <span>{props.label}</span>
      <input
        className="num"
        aria-label={props.label}
        inputMode="decimal"
        autoComplete="off"
        placeholder={props.hint ?? "0"}
        value={props.value}
        onChange={(event) => props.change(read(event.target.value))}
      />
      <span className="unit">{props.unit}</span>
    </label>
  );
}

export function Pick<T extends string>(props: {
  label: string;
  options: [T, string][];
  chosen: T;
  choose: (next: T) => void;
}) {
  return (
    <label className="pick">
      <span>{props.label}</span>
      <select
        aria-label={props.label}
        value={props.chosen}
        onChange={(event) => props.choose(event.target.value as T)}
      >
        {props.options.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

export function Switch(props: { label: string; on: boolean; change: (on: boolean) => void }) {
  return (
    <label className="switch">
      <input
        type="checkbox"
        role="switch"
        checked={props.on}
        onChange={(event) => props.change(event.target.checked)}
      />
      {props.label}
    </label>
  );
}

export function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="fact">
      <span>{name}</span>
      <span className="num">{children}</span>
    </div>
  );
}
