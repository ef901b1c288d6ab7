"""Names of files that come from subjects, sites for stock photos, search engines and programs."""

from bench.folder_cases.case import FolderCase, files, folders

_ONE_KIND = ("no photo here",)


def _one_kind(name: str, *names: str) -> FolderCase:
    return FolderCase(name=name, make=files(*names), refused=_ONE_KIND)


CASES = (
    FolderCase(
        name="subject, class and counter in names",
        make=files(*(f"s{s:02d}_{label}_{{i}}.jpg" for s in (1, 2, 3, 4) for label in ("happy", "sad", "angry"))),
        classes={"angry": 12, "happy": 12, "sad": 12},
    ),
    FolderCase(
        name="class, subject and counter in names",
        make=files(*(f"{label}_p{s}_{{i}}.jpg" for s in (1, 2, 3, 4) for label in ("happy", "sad"))),
        classes={"happy": 12, "sad": 12},
    ),
    FolderCase(
        name="cameras before the class",
        make=files(*(f"cam{c}-{label}-{{i}}.jpg" for c in "123" for label in ("open", "closed"))),
        classes={"closed": 9, "open": 9},
    ),
    FolderCase(
        name="kinds before states in names are classes",
        make=files(*(f"{plant}_{state}_{{i}}.jpg" for plant in ("potato", "tomato") for state in ("healthy", "sick"))),
        classes={"potato_healthy": 3, "potato_sick": 3, "tomato_healthy": 3, "tomato_sick": 3},
    ),
    _one_kind(
        "photographers of a site for stock photos",
        "pexels-john-doe-1{i}.jpg",
        "pexels-anna-smith-2{i}.jpg",
        "pexels-karolina-grabowska-3{i}.jpg",
    ),
    _one_kind(
        "photographers of unsplash",
        "jane-doe-aBcD{i}XyZ-unsplash.jpg",
        "li-wei-xYz{i}QrS-unsplash.jpg",
        "max-power-Qw{i}ErT-unsplash.jpg",
    ),
    _one_kind(
        "stock photos of several sites",
        "istockphoto-11{i}-612x612.jpg",
        "shutterstock_22{i}.jpg",
        "gettyimages-33{i}-2048x2048.jpg",
        "depositphotos_44{i}-stock-photo.jpg",
        "AdobeStock_55{i}.jpeg",
        "360_F_66{i}_aBcDeFgHiJkL.jpg",
    ),
    FolderCase(
        name="classes in names of stock photos",
        make=files(
            "rose-{i}_1280_pixabay.jpg", "pixabay-rose-1{i}.jpg", "tulip-{i}_1280_pixabay.jpg", "pixabay-tulip-1{i}.jpg"
        ),
        classes={"rose": 6, "tulip": 6},
    ),
    _one_kind(
        "names of Flickr in one folder",
        "102501987_3cdb8e5394_n.jpg",
        "10466290366_cc72e33532.jpg",
        "1031799732_e7f4008c03.jpg",
        "10391248763_1d16681106_n.jpg",
        "107693873_86021ac4ea_n.jpg",
        "12240303_80d87f77a3_n.jpg",
        "1342002397_9503c97b49_m.jpg",
        "10555749515_13a12a026e_b.jpg",
        "11124324295_503f3a0804_z.jpg",
        "1265350143_6e2b276ec9_o.jpg",
        "12585131704_0f64b17059_m.jpg",
        "14060367700_fe87e99b6a_m.jpg",
    ),
    _one_kind(
        "names of Facebook in one folder",
        "6024118{i}_1015012345678{i}_174905{i}801_n.jpg",
        "6124118{i}_1015112345678{i}_174906{i}802_o.jpg",
    ),
    FolderCase(
        name="names of Flickr in class folders",
        make=files(
            "daisy/102501987_3cdb8e5394_n.jpg",
            "daisy/10466290366_cc72e33532.jpg",
            "daisy/107693873_86021ac4ea_n.jpg",
            "rose/12240303_80d87f77a3_n.jpg",
            "rose/1342002397_9503c97b49_m.jpg",
            "rose/10555749515_13a12a026e_b.jpg",
        ),
        classes={"daisy": 3, "rose": 3},
    ),
    _one_kind(
        "screenshots in several languages",
        "Captura de pantalla 2023-05-17 10111{i}.png",
        "Capture d’écran 2023-05-18 à 10.11.1{i}.png",
        "Schermata 2023-05-19 alle 10.11.1{i}.png",
        "屏幕截图 2023-05-17 10111{i}.png",
        "スクリーンショット 2023-05-17 10.11.1{i}.png",
        "Снимок экрана 2023-05-17 10111{i}.png",
        "Skärmavbild 2023-05-17 kl. 10.11.1{i}.png",
    ),
    _one_kind(
        "photos of phones and chats",
        "IMG_2023051{i}.jpg",
        "微信图片_2023051{i}.jpg",
        "mmexport168432{i}.jpg",
        "PXL_20230517_10111{i}.jpg",
        "WhatsApp Image 2023-05-17 at 10.11.1{i}.jpeg",
        "received_98765{i}.jpeg",
        "FB_IMG_16843{i}.jpg",
        "Screenshot_20230517-10111{i}_Chrome.jpg",
        "photo_2023-05-17_10-11-1{i}.jpg",
    ),
    _one_kind(
        "photos saved from search engines",
        "download ({i}).jpg",
        "images ({i}).jpg",
        "descarga ({i}).jpg",
        "téléchargement ({i}).jpg",
        "OIP ({i}).jpg",
        "th ({i}).jpg",
        "Herunterladen ({i}).jpg",
        "index-{i}.jpg",
    ),
    _one_kind(
        "pictures of programs that make them",
        "DALL·E 2023-05-17 10.11.1{i}.png",
        "ChatGPT Image May 17, 2025, 10_11_1{i} AM.png",
        "Gemini_Generated_Image_ab{i}cd12ef.png",
        "Image_fx ({i}).jpg",
        "Midjourney_{i}.png",
        "ComfyUI_00{i}_.png",
    ),
    FolderCase(
        name="names in a zip of a course, students and tasks",
        make=folders(
            "Abgabe_Meier_12345/Ahorn",
            "Abgabe_Meier_12345/Buche",
            "Abgabe_Huber_23456/Ahorn",
            "Abgabe_Huber_23456/Buche",
            "Abgabe_Li_34567/Ahorn",
            "Abgabe_Li_34567/Buche",
        ),
        classes={"Ahorn": 9, "Buche": 9},
    ),
)
