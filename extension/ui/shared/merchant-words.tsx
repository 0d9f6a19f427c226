/** What a merchant wrote. It is quoted, by itself in its direction, and stays inside its box, whatever it is made of. */
export function MerchantWords({ words }: { readonly words: string }) {
  return (
    <q class="merchant-words foreign" dir="auto">
      {words}
    </q>
  );
}
