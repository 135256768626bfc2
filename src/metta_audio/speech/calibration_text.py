"""What a voice says to be measured. A voice's fingerprint holds it, so that it is here by itself: quick to load."""

from __future__ import annotations

_TEXTS = {
    # Sentences of the kinds that practices are made of, with words as long as theirs: all lines of the English
    # practices together are spoken within 3 % of the rate this text gives, and other sentences of a practice in each of
    # these languages within 8 %. A passage of shorter words goes by faster.
    "cs": "Nech dech přicházet a odcházet, jak sám chce. Není třeba nic měnit ani nikam chodit. Až si všimneš, že "
    "se myšlenky zatoulaly, laskavě se vrať k tělu. Kéž jsi v bezpečí. S nádechem se tělo otevírá, s výdechem se "
    "uklidňuje. Kéž laskavost dojde ke všem, kdo trpí.",
    "da": "Lad åndedrættet komme og gå på sin egen måde. Der er ikke noget at ændre og ikke noget andet sted at "
    "være. Når du mærker, at tankerne vandrer, så vend venligt tilbage til kroppen. Må du være tryg.",
    "de": "Lass den Atem kommen und gehen, so wie er mag. Du musst nichts ändern und nirgends hingehen. Wenn du "
    "bemerkst, dass die Gedanken wandern, kehre freundlich zum Körper zurück. Mögest du sicher sein.",
    "el": "Άφησε την αναπνοή να έρχεται και να φεύγει με τον δικό της τρόπο. Δεν υπάρχει τίποτα να αλλάξεις, ούτε "
    "κάπου αλλού να πας. Όταν παρατηρήσεις ότι ο νους ξέφυγε, γύρισε απαλά στο σώμα. Να είσαι καλά.",
    "en": "Let the breath come and go in its own way. There is nothing to change here, and nowhere else to be. "
    "Bring a gentle attention to your right shoulder and notice whatever is there. Breathing in, the body opens; "
    "breathing out, it settles. May kindness reach everyone who suffers. If a worried part of you appears, ask what "
    "it would like you to know. May I be safe. Let it be as it is, and rest here for a while.",
    "es": "Deja que la respiración venga y se vaya como quiera. No necesitas cambiar nada. Cuando notes que la "
    "mente se ha ido, vuelve con suavidad al cuerpo. Quédate acompañando lo que sientes, amablemente. Al inspirar, "
    "el cuerpo se abre; al espirar, descansa. Lleva una atención amable al hombro derecho. Que la bondad alcance a "
    "todas las personas que sufren.",
    "fi": "Anna hengityksen tulla ja mennä omalla tavallaan. Mitään ei tarvitse muuttaa, eikä minnekään tarvitse "
    "mennä. Kun huomaat ajatusten vaeltavan, palaa lempeästi kehoon. Olkoon sinulla turvallinen olo. Anna kaiken "
    "olla niin kuin se on, ja lepää tässä hetki. Ole rauhassa.",
    "fr": "Laissez le souffle aller et venir à sa manière. Il n'y a rien à changer, et nulle part où aller. Quand "
    "vous remarquez que l'esprit s'en va, revenez doucement au corps. Puissiez-vous être en paix.",
    "hi": "साँस को अपने आप आने और जाने दें। यहाँ कुछ भी बदलना नहीं है, और कहीं जाना नहीं है। जब ध्यान भटक जाए, तो "
    "प्यार से शरीर की ओर लौट आएँ। आप सुरक्षित रहें।",
    "hu": "Hagyd, hogy a lélegzet jöjjön és menjen a maga módján. Nincs mit megváltoztatni, és nincs hová menni. "
    "Amikor észreveszed, hogy a gondolatok elkalandoznak, térj vissza gyengéden a testhez. Légy biztonságban. "
    "Hagyd, hogy úgy legyen, ahogy van, és pihenj itt egy kicsit. Ami itt van, az elég.",
    "it": "Lascia che il respiro vada e venga come vuole. Non c'è nulla da cambiare e nessun altro posto dove "
    "andare. Quando noti che la mente si allontana, torna con gentilezza al corpo. Che tu possa stare in pace.",
    "nb": "La pusten komme og gå på sin egen måte. Det er ingenting å forandre og ingen andre steder å være. Når du "
    "merker at tankene vandrer, vend vennlig tilbake til kroppen. Må du være trygg.",
    "nl": "Laat de adem komen en gaan zoals hij wil. Je hoeft niets te veranderen en nergens anders te zijn. Als je "
    "merkt dat de gedachten afdwalen, keer dan rustig terug naar het lichaam. Moge je veilig zijn. Laat het zijn "
    "zoals het is, en rust hier een tijd. Moge het je goed gaan. Je mag hier zijn, met wat er nu is.",
    "pl": "Pozwól oddechowi przychodzić i odchodzić po swojemu. Nie trzeba niczego zmieniać ani nigdzie iść. Kiedy "
    "zauważysz, że myśli wędrują, łagodnie wróć do ciała. Niech spokój będzie z tobą.",
    "pt": "Deixe a respiração vir e ir como quiser. Não há nada para mudar nem outro lugar para estar. Quando notar "
    "que a mente se afastou, volte com gentileza ao corpo. Que você esteja em paz. Ao inspirar, o corpo se abre; ao "
    "expirar, descansa. Leve uma atenção gentil ao ombro direito. Que a bondade alcance todas as pessoas que sofrem.",
    "ro": "Lasă respirația să vină și să plece în felul ei. Nu trebuie să schimbi nimic, nici să ajungi altundeva. "
    "Când observi că mintea a plecat, întoarce-te cu blândețe la corp. Să fii în siguranță. Când inspiri, corpul se "
    "deschide; când expiri, se liniștește. Fie ca bunătatea să ajungă la toți cei care suferă.",
    "ru": "Пусть дыхание приходит и уходит само собой. Ничего не нужно менять, и никуда не нужно идти. Когда вы "
    "заметите, что мысли блуждают, мягко вернитесь к телу. Пусть вам будет спокойно.",
    "sv": "Låt andningen komma och gå på sitt eget sätt. Det finns ingenting att förändra och ingen annanstans att "
    "vara. När du märker att tankarna vandrar, återvänd vänligt till kroppen. Må du vara trygg. Låt det vara som "
    "det är, och vila här en stund. Må alla som har det svårt få frid.",
    "ta": "மூச்சு தானாக வந்து போகட்டும். இங்கே எதையும் மாற்ற வேண்டியதில்லை, எங்கும் போக வேண்டியதில்லை. மனம் அலைவதை "
    "உணர்ந்தால், மென்மையாக உடலுக்குத் திரும்புங்கள். நீங்கள் நலமாக இருங்கள். மூச்சை உள்ளே இழுக்கும்போது உடல் "
    "விரிகிறது, வெளியே விடும்போது அது அமைதியடைகிறது.",
    "tr": "Nefesin kendi hâlinde gelip gitmesine izin ver. Değiştirilecek bir şey yok, gidilecek başka bir yer de "
    "yok. Düşüncelerin dağıldığını fark ettiğinde nazikçe bedenine geri dön. Güvende ol, huzur içinde yaşa.",
    "uk": "Нехай подих приходить і відходить сам собою. Нічого не треба змінювати, і нікуди не треба йти. Коли "
    "помітиш, що думки блукають, лагідно повернися до тіла. Нехай тобі буде спокійно.",
}
_SAME = {"no": "nb"}
"""Another name of a language: Norwegian, of which Bokmål is meant where nothing more is said."""

_NUMBERS = "1 2 3 4 5 6 7 8 9 10 11 12"


def calibration_text(language: str) -> str:
    """Give what a voice of ``language`` says to be measured: a few plain sentences of a practice.

    For a language without a text of its own it counts, as every engine can. How long numbers are differs: of the
    languages above, running speech comes within 15 % of a rate set so, but 27 % slower in Turkish and 37 % in Tamil.
    """
    primary = language.partition("-")[0]
    return _TEXTS.get(_SAME.get(primary, primary), _NUMBERS)
